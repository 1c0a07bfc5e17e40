"""Sends what is already in the uploads bucket through the queue to the function, as if it were uploaded now."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
from collections.abc import Sequence

from cli import exits
from cli.arguments import Choice, command_parser, positive
from cli.connection import connect

#: Messages that may wait in the queue: some seconds of work, so that a new upload is not made to wait for long.
QUEUE_DEPTH = 1_000


def main(argv: Sequence[str] | None = None) -> int:
    """Send what is not done yet; returns the exit code."""
    parser = command_parser(
        __doc__ or "",
        "python bulk/backfill.py --dry-run           what would be sent, and what that costs on AWS",
        "python bulk/backfill.py                     all that is not done yet with the present options",
        "python bulk/backfill.py --prefix 2024/",
        "python bulk/backfill.py --failed            only the images that failed",
        "python bulk/backfill.py --force             everything, also what is done",
        "python status.py --watch                    see how far the queue is",
        prog="backfill.py",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--failed", action="store_true", help="only images whose record is FAILED")
    which.add_argument("--force", action="store_true", help="also images that are done, or deleted")
    parser.add_argument("--prefix", default="", help="only objects whose keys begin so (default: all)")
    parser.add_argument("--dry-run", action="store_true", help="count and estimate; send nothing")
    parser.add_argument("--from-start", action="store_true", help="forget where a run that was stopped had come to")
    parser.add_argument(
        "--queue-depth",
        type=positive,
        default=QUEUE_DEPTH,
        metavar="N",
        help=f"let at most N messages wait in the queue (default: {QUEUE_DEPTH})",
    )
    arguments = parser.parse_args(argv)
    return exits.run(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    from bulk.backfill_run import run

    with connect(Choice.from_arguments(arguments)) as connection:
        return run(connection, arguments)


if __name__ == "__main__":
    sys.exit(main())
