"""Moves objects out of a bucket into a local folder: each is verified on the disk before it is removed from S3."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bulk.drain import settings
from bulk.drain.settings import Wanted
from cli import console, exits
from cli.arguments import Choice, command_parser, positive
from cli.confirm import confirm
from cli.exits import CommandError

if TYPE_CHECKING:
    from bulk.drain.listing import Listing
    from bulk.drain.order import Watch
    from bulk.drain.selection import Selection

_WORKERS = 16


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the drainer works in. `watch` is told of every step of every object; `sync` makes a descriptor durable."""

    environ: Mapping[str, str]
    watch: Watch = lambda step, key: None
    sync: Callable[[int], None] | None = None


def main(argv: Sequence[str] | None = None, around: Surroundings | None = None) -> int:
    """Parse, ask, drain, report; returns the exit code."""
    arguments = _parser().parse_args(argv)
    return exits.run(lambda: _run(arguments, around or Surroundings(environ=os.environ)))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "Moves objects out of a bucket into a local folder: verified on the disk first, then removed from S3.",
        "python bulk/drain_bucket.py --dry-run                 what config/.env describes; changes nothing",
        "python bulk/drain_bucket.py                           asks once, then drains",
        "python bulk/drain_bucket.py --bucket-name inbox --path-to-search 'scans/2024*.tif' --local-base-path ~/scans",
        "python bulk/drain_bucket.py --yes --older-than 7d --quarantine-prefix quarantine/",
        "python bulk/drain_bucket.py --yes --purge-versions    all versions, the oldest first",
        prog="drain_bucket.py",
    )
    _add_what(parser)
    _add_how(parser)
    return parser


def _add_what(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what to drain (else from the environment, else from config/.env)")
    what.add_argument("--bucket-name", metavar="BUCKET", help="the bucket")
    what.add_argument("--path-to-search", metavar="PATH", help="a prefix of keys, or a pattern with * and ?")
    what.add_argument("--local-base-path", metavar="FOLDER", help="where the objects go")
    what.add_argument("--processed-path", metavar="FOLDER", help="objects that are in it already are only removed")
    what.add_argument("--older-than", type=settings.age, metavar="AGE", help="leave younger ones: 30m, 12h, 7d, 2w")
    what.add_argument("--max-delete", type=positive, metavar="N", help="remove at most N objects")
    what.add_argument("--purge-versions", action="store_true", help="drain and delete every version of each key")


def _add_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="change nothing, list what would be drained to where")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--verify",
        choices=("stored", "twice"),
        default="stored",
        help="objects that S3 has no checksum of: leave them (stored), or download them twice and compare (twice)",
    )
    parser.add_argument(
        "--processed-match",
        choices=("checksum", "size"),
        default="checksum",
        help="a processed file is the object's if its checksum is, or already if name and size are",
    )
    parser.add_argument(
        "--quarantine-prefix",
        type=settings.quarantine_prefix,
        metavar="PREFIX",
        help="copy each object below this prefix of the bucket before it is removed",
    )
    parser.add_argument("--workers", type=settings.worker_count, default=_WORKERS, help=f"default: {_WORKERS}")
    parser.add_argument("--rate-limit", type=settings.byte_rate, metavar="RATE", help="bytes a second, such as 20MB")


def _run(arguments: argparse.Namespace, around: Surroundings) -> int:
    if os.name != "posix":
        raise CommandError("the drainer needs Linux or macOS: here a folder cannot be made durable")
    from bulk.drain.bucket import Bucket
    from bulk.drain.listing import Listing
    from bulk.drain.run import Run
    from bulk.drain.session import env_file_of, find_target, s3_client

    env_file = env_file_of(around.environ)
    wanted = Wanted.of(arguments, around.environ, env_file)
    target = find_target(Choice.from_arguments(arguments), around.environ, env_file, console.say)
    s3 = s3_client(target, connections=arguments.workers + 2)
    stop = threading.Event()
    listing = Listing(s3, wanted.bucket_name, stop.wait)
    listing.require(wanted.path_to_search.prefix, target.description)
    selection = _selection(arguments, wanted, listing)
    console.say(f"Draining s3://{wanted.bucket_name} on {target.description} into {wanted.local_base_path}")
    if arguments.dry_run:
        from bulk.drain.dry_run import print_plan

        return print_plan(selection, wanted, as_json=arguments.json)
    if not arguments.yes:
        confirm(lambda: _question(selection), "nothing was removed")
    _warn(arguments, listing)
    bucket = Bucket(s3, wanted.bucket_name, target.session.get_credentials())
    return Run(arguments, wanted, bucket, selection, around.watch, around.sync, stop).drain()


def _selection(arguments: argparse.Namespace, wanted: Wanted, listing: Listing) -> Selection:
    from bulk.drain.selection import Selection

    return Selection(
        listing=listing,
        search=wanted.path_to_search,
        versions=arguments.purge_versions and listing.is_versioned(),
        newest=datetime.now(UTC) - arguments.older_than if arguments.older_than else None,
        but_below=arguments.quarantine_prefix,
    )


def _question(selection: Selection) -> str:
    objects, total = selection.count()
    kind = "versions, for good," if selection.versions else "objects"
    return f"This moves {objects} {kind} of {console.byte_size(total)} here and removes them from S3."


def _warn(arguments: argparse.Namespace, listing: Listing) -> None:
    prefix = arguments.quarantine_prefix
    if prefix and not listing.expires(prefix):
        console.say(f"No lifecycle rule lets {prefix} expire: copies stay until somebody deletes them (docs/drain.md)")


if __name__ == "__main__":
    sys.exit(main())
