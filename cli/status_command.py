"""`python status.py`: what waits, what became of the images, and what that saved."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.connection import Connection, connect
from cli.queue_counts import in_flight, waiting
from cli.record_totals import count
from cli.variants import add_variant_options
from pipeline.images.variants import DEFAULT_WIDTHS, Variants

WATCH_PAUSE = 2.0
DEFAULT_IMAGES, MOST_IMAGES = 1000, 10**10
#: Larger files are refused by the pipeline.
DEFAULT_MEGABYTES, MOST_MEGABYTES = Decimal(4), 50


def main(argv: Sequence[str] | None = None, *, start: Callable[[], None] | None = None) -> int:
    """Print the state of the pipeline, once or again and again; returns the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.dry_run and not arguments.redrive:
        parser.error("--dry-run goes with --redrive only: nothing else here changes anything")
    if not arguments.cost and (arguments.images is not None or arguments.size_mb is not None):
        parser.error("--images and --size-mb go with --cost only")
    if arguments.variant_formats and not arguments.cost or arguments.variant_widths and not arguments.variant_formats:
        parser.error("--variant-formats goes with --cost only, and --variant-widths with that")
    return exits.run(lambda: _cost(arguments) if arguments.cost else _run(arguments, start))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "Shows messages that wait, are in flight or are dead, records by outcome, and bytes saved.",
        "python status.py",
        "python status.py --watch               again every two seconds, until Ctrl-C",
        "python status.py --failed              every image that failed, with code and reason",
        "python status.py --logs statue.jpg     what was logged about one image",
        "python status.py --redrive --dry-run   what the dead-letter queue holds",
        "python status.py --redrive             send all of that back to the queue",
        "python status.py --cost --images 10000 --size-mb 4",
        "python status.py --cost --variant-formats webp,avif --variant-widths 320,640,1280",
        "python status.py --json",
        prog="status.py",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--watch", action="store_true", help="repeat until Ctrl-C")
    what.add_argument("--failed", action="store_true", help="list the images that failed, with code and reason")
    what.add_argument("--logs", metavar="KEY", help="show what was logged about the image with this key")
    what.add_argument("--redrive", action="store_true", help="send the dead letters back to the queue")
    what.add_argument("--cost", action="store_true", help="estimate a month on AWS; asks no cloud")
    parser.add_argument("--dry-run", action="store_true", help="with --redrive: tell the dead letters, move none")
    parser.add_argument("--images", type=_images, help="with --cost: images a month (default: 1000)")
    parser.add_argument("--size-mb", type=_megabytes, help="with --cost: megabytes of one of them (default: 4)")
    add_variant_options(parser, "with --cost: make each image besides as")
    return parser


def _cost(arguments: argparse.Namespace) -> int:
    from cli.cost_command import print_cost

    size = arguments.size_mb or DEFAULT_MEGABYTES
    variants = Variants(arguments.variant_formats or (), arguments.variant_widths or DEFAULT_WIDTHS)
    return print_cost(arguments.images or DEFAULT_IMAGES, size, variants, as_json=arguments.json)


def _images(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= MOST_IMAGES:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 to {MOST_IMAGES:,}, for example 10000")


def _megabytes(text: str) -> Decimal:
    try:
        size = Decimal(text)
    except InvalidOperation:
        size = Decimal(0)
    if size.is_finite() and 0 < size <= MOST_MEGABYTES:
        return size
    raise argparse.ArgumentTypeError(f"{text!r} must be above 0 and at most {MOST_MEGABYTES}, for example 2.5")


def _run(arguments: argparse.Namespace, start: Callable[[], None] | None) -> int:
    with connect(Choice.from_arguments(arguments), start=start) as connection:
        console.say(f"On {connection.target.description}")
        if arguments.redrive:
            from cli.dead_letters import redrive

            redrive(connection, dry_run=arguments.dry_run, as_json=arguments.json)
            return exits.Exit.DONE
        if arguments.logs is not None:
            from cli.logs_command import print_logs

            print_logs(connection, arguments.logs, as_json=arguments.json)
            return exits.Exit.DONE
        if arguments.failed:
            return _print_failed(connection, as_json=arguments.json)
        _print(status(connection), as_json=arguments.json)
        while arguments.watch:
            time.sleep(WATCH_PAUSE)
            _print(status(connection), as_json=arguments.json)
    return exits.Exit.DONE


def _print_failed(connection: Connection, *, as_json: bool) -> int:
    from pipeline.table.failures import failures

    found = failures(connection.aws.dynamodb, connection.resources.require("dynamodb-table", "setup.py"))
    if as_json:
        for failure in found:
            console.json_line(asdict(failure))
    elif found:
        rows = ((failure.image_id, failure.code, failure.reason, failure.processed_at) for failure in found)
        console.table(("Image", "Code", "Reason", "When"), rows)
    advice = "; `python upload_folder_images.py --failed` sends them again" if found else ""
    console.say(f"{len(found)} images failed{advice}")
    return exits.Exit.DONE


def status(connection: Connection) -> dict[str, Any]:
    """Everything that is shown, as plain values."""
    sqs, resources = connection.aws.sqs, connection.resources
    queue = resources.require("messages-queue", "setup.py")
    totals = count(connection.aws.dynamodb, resources.require("dynamodb-table", "setup.py"))
    return {
        "waiting": waiting(sqs, queue),
        "in_flight": in_flight(sqs, queue),
        "dead_letters": waiting(sqs, resources.require("dead-letter-queue", "setup.py")),
        **_image_service(connection),
        "images": totals.images,
        "outcomes": dict(totals.outcomes),
        "codes": dict(totals.codes),
        "bytes_before": totals.bytes_before,
        "bytes_after": totals.bytes_after,
        "bytes_saved": totals.bytes_before - totals.bytes_after,
        "variants": totals.variants,
        "variant_bytes": totals.variant_bytes,
    }


def _image_service(connection: Connection) -> dict[str, dict[str, int]]:
    """The same of the queue that takes messages with URLs, where there is one."""
    sqs, resources = connection.aws.sqs, connection.resources
    if "image-queue" not in resources:
        return {}
    queue, dead_letters = resources["image-queue"], resources["image-dead-letter-queue"]
    counts = {"waiting": waiting(sqs, queue), "in_flight": in_flight(sqs, queue)}
    return {"image_service": {**counts, "dead_letters": waiting(sqs, dead_letters)}}


def _print(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        console.json_line(facts)
        return
    rows = [
        ("Messages waiting", facts["waiting"]),
        ("Messages in flight", facts["in_flight"]),
        ("Dead letters", facts["dead_letters"]),
        *((f"Image service: {name.replace('_', ' ')}", n) for name, n in facts.get("image_service", {}).items()),
        ("Images", facts["images"]),
        *((f"  {outcome}", number) for outcome, number in sorted(facts["outcomes"].items())),
        *((f"    {code}", number) for code, number in sorted(facts["codes"].items())),
        ("Bytes before", console.byte_size(facts["bytes_before"])),
        ("Bytes after", console.byte_size(facts["bytes_after"])),
        ("Bytes saved", console.byte_size(facts["bytes_saved"]) + _percent(facts)),
        *_variants(facts),
    ]
    console.table(("", "Now"), rows, right=("Now",))


def _variants(facts: dict[str, Any]) -> list[tuple[str, object]]:
    if not facts["variants"]:
        return []
    return [("Variants", facts["variants"]), ("Bytes of variants", console.byte_size(facts["variant_bytes"]))]


def _percent(facts: dict[str, Any]) -> str:
    before = facts["bytes_before"]
    return f" ({100 * facts['bytes_saved'] / before:.1f} %)" if before else ""
