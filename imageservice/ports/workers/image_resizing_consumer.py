"""Reads messages with URLs of images from a queue, makes the sizes, and tells queues and receivers of them."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from cli import exits
from cli.signing_secrets import kept_secrets
from imageservice.connection import checked_bucket, checked_queue_url, s3_client, sqs_client, ssm_client
from imageservice.logs import level, log_as_json
from imageservice.ports.workers.crew import run_crew, stopping_on_signals
from imageservice.ports.workers.worker import Stop, Worker
from pipeline.consume import consume
from pipeline.image_service.services import UrlServices, connect_urls
from pipeline.image_service.settings import ImageSettings
from pipeline.messages import Message
from pipeline.parameters import parameter_reader
from pipeline.queues import Queue
from pipeline.settings import SettingsError, home
from pipeline.version import VERSION
from pipeline.web.settings import OutboundSettings

logger = logging.getLogger("imageservice.consumer")

MODULE = "imageservice.ports.workers.image_resizing_consumer"
DEFAULT_VISIBILITY = 60
_MOST_WORKERS = 256


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Work until SIGTERM or SIGINT; returns the exit code."""
    arguments = _parser().parse_args(argv)
    return exits.run(lambda: _consume(arguments.workers, environ))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {MODULE}",
        description=__doc__,
        epilog="\n".join(
            [
                "examples:",
                f"  QUEUE_URL=https://…/ImageQueue.fifo LEVEL=INFO python -m {MODULE}",
                f"  python -m {MODULE} -w 8",
                "",
                "What the environment says: docs/configuration.md. SIGTERM lets it finish what it has in hand.",
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-w", "--workers", type=_count, default=1, metavar="N", help="processes that work (default: 1)")
    parser.add_argument("--version", action="version", version=f"image-pipeline {VERSION}")
    return parser


def _count(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= _MOST_WORKERS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST_WORKERS}")


def _consume(workers: int, environ: Mapping[str, str]) -> int:
    log_as_json(level(environ))
    settings = _checked(environ)
    if not settings.redirect_queues:
        logger.warning("REDIRECT_QUEUES is not set: results go to no queue, to postback URLs only")
    stop = Stop()
    with stopping_on_signals(stop):
        logger.info("started", extra={"facts": {"workers": workers, "bucket": settings.images.bucket}})
        if workers == 1:
            _work(environ, stop, lambda: True)
        else:
            run_crew(partial(work_in_crew, dict(environ)), workers, stop)
    logger.info("Graceful exit.")
    return exits.Exit.DONE


def _checked(environ: Mapping[str, str]) -> ImageSettings:
    """Everything that a worker will need, looked at before the first one starts."""
    sqs = sqs_client(environ)
    settings = ImageSettings.from_environment(environ, queue_url=checked_queue_url(environ, sqs))
    checked_bucket(s3_client(environ), settings.images.bucket)
    _visibility(environ)
    _connect(environ)
    return settings


def _connect(environ: Mapping[str, str]) -> tuple[Queue, ImageSettings, UrlServices]:
    sqs = sqs_client(environ)
    queue_url = checked_queue_url(environ, sqs)
    settings = ImageSettings.from_environment(environ, queue_url=queue_url)
    signing = environ.get("POSTBACK_SIGNING_SECRETS", "").strip() or kept_secrets(home(environ))
    told = {**environ, "POSTBACK_SIGNING_SECRETS": signing}
    outbound = OutboundSettings.from_environment(told, parameter_reader(lambda: ssm_client(environ)))
    services = connect_urls(settings, outbound, s3=s3_client(environ), sqs=sqs, queue_url=queue_url)
    return Queue(sqs, queue_url), settings, services


def work_in_crew(environ: Mapping[str, str], stop: Stop, go_on: Callable[[], bool]) -> None:
    """A worker that begins while AWS cannot be reached ends with a line; another one takes its place later."""
    # Where it was not forked it is a Python of its own, in which nothing has been said of logs yet.
    log_as_json(level(environ))
    try:
        _work(environ, stop, go_on)
    except Exception as error:
        fault = exits.explain(error)
        if fault is None:
            raise
        logger.error("a worker could not begin", extra={"facts": {"reason": fault.text}})
        sys.exit(fault.exit_code)


def _work(environ: Mapping[str, str], stop: Stop, go_on: Callable[[], bool]) -> None:
    """One worker, with clients of its own."""
    queue, settings, services = _connect(environ)

    def work(message: Message) -> None:
        consume(message, settings.images, services, partial(_report, message.message_id))

    worker = Worker(queue, work, stop, visibility=_visibility(environ), asked=services.redirects.received)
    worker.run(go_on)


def _report(message_id: str, outcome: str, facts: Mapping[str, object]) -> None:
    logger.info(outcome, extra={"facts": {"message_id": message_id, "outcome": outcome, **facts}})


def _visibility(environ: Mapping[str, str]) -> int:
    value = environ.get("VISIBILITY_TIMEOUT", "").strip() or str(DEFAULT_VISIBILITY)
    if value.isascii() and value.isdecimal() and 3 <= int(value) <= 43_200:
        return int(value)
    raise SettingsError(
        f"VISIBILITY_TIMEOUT={value!r} is not from 3 to 43200 seconds; without it: {DEFAULT_VISIBILITY}"
    )


if __name__ == "__main__":
    sys.exit(main())
