"""What both scans are as programs: arguments in, messages out, an exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pymongo
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from cli import console, exits
from cli.exits import CommandError
from imageservice.scans.scan import Scan
from imageservice.scans.settings import ScanSettings
from imageservice.services.sqs import SQS
from pipeline.settings import SettingsError
from pipeline.version import VERSION

#: Seconds in which a server has to answer: a scheduled run should say that it could not, not hang till the next.
_TIMEOUT_MS = 15_000
_URL = (
    "the URL of MongoDB cannot be used. It looks like mongodb://user:password@host/database, each sign of the password "
    "that is no letter or digit written as %2F; the files that it names must be there"
)


@dataclass(frozen=True)
class Kind:
    """What sets one scan apart: its program, what it reads, and who is told where nobody says otherwise."""

    module: str
    things: str
    collection: str
    redirect_queue: str


CHANNELS = Kind("scripts.resize_images_from_channel_collection", "channels", "channel", "ChannelImages")
EPISODES = Kind("scripts.resize_images_from_episodes_collection", "episodes", "episodes", "EpisodeImages")


def main(
    kind: Kind,
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    connect: Callable[..., Any] = pymongo.MongoClient,
    sender: Callable[..., Any] = SQS,
) -> int:
    """Scan once; returns the exit code."""
    arguments = _parser(kind).parse_args(argv)
    work = _print_messages if arguments.dry_run else _scan

    def run() -> int:
        told = ScanSettings.from_environment(environ, redirect_queue=kind.redirect_queue, bucket_name=kind.collection)
        with _reached(told, connect) as database:
            return work(_scan_of(database[arguments.collection], told), lambda: sender(environ=environ), arguments)

    return exits.run(run)


def _parser(kind: Kind) -> argparse.ArgumentParser:
    command = f"python -m {kind.module}"
    parser = argparse.ArgumentParser(
        prog=command,
        description=f"Sends a message to the image service for all {kind.things} whose images are new or have changed.",
        epilog=f"examples:\n  {command} --dry-run\n  ENVIRONMENT=PRODUCTION {command}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--dry-run", action="store_true", help="print the messages, one a line, and send nothing")
    parser.add_argument("--collection", default=kind.collection, help="of MongoDB (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print results as JSON")
    parser.add_argument("--version", action="version", version=f"image-pipeline {VERSION}")
    return parser


@contextmanager
def _reached(told: ScanSettings, connect: Callable[..., Any]) -> Iterator[Any]:
    """The database that the URL names. What MongoDB has to say is put into one line, which never holds the URL."""
    with ExitStack() as opened:
        try:
            client = connect(told.mongo_url, serverSelectionTimeoutMS=_TIMEOUT_MS)
            opened.callback(client.close)
            database = client.get_default_database(codec_options=_lenient(client.codec_options))
        except (ConfigurationError, InvalidURI, ValueError, OSError):
            # Their words may hold a part of the URL, and that a part of the password.
            raise SettingsError(_URL) from None
        with _explained():
            yield database


def _lenient(told: CodecOptions[Any]) -> CodecOptions[Any]:
    """Years beyond 9999 and texts that are not UTF-8 can be read; a UUID is what the URL says, else one of today."""
    is_told = told.uuid_representation != UuidRepresentation.UNSPECIFIED
    return told.with_options(
        tz_aware=True,
        uuid_representation=told.uuid_representation if is_told else UuidRepresentation.STANDARD,
        datetime_conversion=DatetimeConversion.DATETIME_AUTO,
        unicode_decode_error_handler="replace",
    )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        text = str(error).split(", Timeout:")[0]
        raise CommandError(f"MongoDB: {text}: check the URL and the network", exits.Exit.REFUSED) from error
    except BSONError as error:
        text = f"MongoDB: a document is damaged: {error}: mend it, or remove it"
        raise CommandError(text, exits.Exit.SOME_FAILED) from error


def _scan_of(collection: Any, told: ScanSettings) -> Scan:
    extra = {
        "redirect_queue": told.redirect_queue,
        "postback_url": told.postback_url,
        "bucket_name": told.bucket_name,
    }
    return Scan(collection, send=_unready, extra={name: value for name, value in extra.items() if value})


def _unready(message: Mapping[str, Any]) -> None:
    raise AssertionError("a scan that only prints sends nothing")


def _scan(scan: Scan, sender: Callable[[], Any], arguments: argparse.Namespace) -> int:
    waiting = scan.waiting()
    scan.send = sender().send_message_to_topic
    with console.progress() as progress:
        task = progress.add_task("Sending", total=waiting)
        scan.told = lambda count: progress.advance(task, count)
        done = scan.run()
    with console.heard_or_not():
        if arguments.json:
            console.json_line({"sent": done.sent, "locked": done.locked, "refused": len(done.refused)})
        else:
            why = "another scan has them, or one died or ran out of time over them"
            locked = f"; {done.locked} are left: {why}" if done.locked else ""
            console.result(f"{done.sent} messages sent{locked}")
    for one in done.refused:
        console.say(f"not sent: {one.id}: {one.reason}")
    return exits.Exit.SOME_FAILED if done.refused else exits.Exit.DONE


def _print_messages(scan: Scan, sender: Callable[[], Any], arguments: argparse.Namespace) -> int:
    count = 0
    for message in scan.messages():
        console.json_line({**message, "_id": str(message["_id"])})
        count += 1
    console.say(f"{count} messages would be sent")
    return exits.Exit.DONE
