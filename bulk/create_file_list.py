"""Turns a text file of images into the list that gives each of them to a batch; or makes it of a bucket."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bulk.list_lines import BadLine, Image, open_lines
from bulk.list_report import Report, tell
from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.exits import CommandError
from pipeline.batch.file_list import MOST_BATCHES, source_of


def main(argv: Sequence[str] | None = None) -> int:
    """Read, divide, write, upload; returns the exit code: 1 where lines were bad, and the list is of the others."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    wanted = 2 if arguments.bucket else 3
    if len(arguments.words) != wanted:
        parser.error("give N and OUT after --bucket" if arguments.bucket else "give INPUT, N and OUT")
    if arguments.prefix and not arguments.bucket:
        parser.error("--prefix goes with --bucket")
    # The older system printed its usage with commas after the first two; both ways are right.
    *given, out = arguments.words
    batches = _batches(parser, given[-1].rstrip(","))
    return exits.run(lambda: _run(arguments, given[0].rstrip(","), batches, Path(out)))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "Makes the list that gives each image to one of N batches, from a text file or from a bucket.",
        "python bulk/create_file_list.py images.txt 8 list.json",
        "aws s3api list-objects-v2 … | python bulk/create_file_list.py - 8 list.json",
        "python bulk/create_file_list.py --bucket photos --prefix 2026/ 100 shards --format shards",
        "python bulk/create_file_list.py images.txt 8 list.json --upload s3://lists/may.json",
        prog="create_file_list.py",
    )
    parser.usage = "%(prog)s [options] INPUT N OUT\n       %(prog)s [options] --bucket BUCKET [--prefix PREFIX] N OUT"
    parser.add_argument(
        "words",
        nargs="+",
        metavar="INPUT N OUT",
        help="INPUT: a line s3://<bucket>/<key> for each image, a tab and its bytes behind it where you know them, "
        f"or - for standard input; N: how many batches, 1 to {MOST_BATCHES}; OUT: the list",
    )
    parser.add_argument("--bucket", help="instead of INPUT: the images of this bucket, balanced by their bytes")
    parser.add_argument("--prefix", default="", help="with --bucket: only keys that begin so")
    parser.add_argument("--every", action="store_true", help="with --bucket: also what is not named as an image")
    parser.add_argument(
        "--format",
        choices=("json", "shards"),
        default="json",
        help="json: one file; shards: a folder with a file for each batch, so that a job reads only its own",
    )
    parser.add_argument("--upload", metavar="S3_URL", help="also put it to s3://<bucket>/<key>; shards end with /")
    return parser


def _batches(parser: argparse.ArgumentParser, text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_BATCHES:
        parser.error(f"N is {text!r}: give the number of batches, from 1 to {MOST_BATCHES}, for example 8")
    return int(text)


def _run(arguments: argparse.Namespace, source: str, batches: int, out: Path) -> int:
    from bulk.list_groups import Groups
    from bulk.list_writing import write_json, write_shards

    _require_writable(out, arguments)
    report = Report(batches=batches, written=str(out))
    with Groups(batches, out.parent) as groups:
        with _lines(arguments, source) as lines:
            _collect(lines, groups, report)
        if groups.images == 0:
            raise CommandError("there is no image to make a list of", exits.Exit.SOME_FAILED)
        groups.divide()
        (write_shards if arguments.format == "shards" else write_json)(groups, batches, out)
        report.images, report.bytes = groups.images, groups.bytes
    if arguments.upload:
        report.uploaded = _upload(arguments, out)
    with console.heard_or_not():
        tell(report, as_json=arguments.json)
    return exits.Exit.SOME_FAILED if report.bad_lines else exits.Exit.DONE


def _require_writable(out: Path, arguments: argparse.Namespace) -> None:
    """Before millions of lines are read."""
    if not out.parent.is_dir():
        raise CommandError(f"the folder of {out} does not exist: make it first")
    if arguments.format == "json" and out.is_dir():
        raise CommandError(f"{out} is a folder: name a file, or add --format shards")
    if arguments.format == "shards" and out.exists():
        raise CommandError(f"{out} exists already: name another folder for the shards, or remove that one")
    if arguments.upload:
        _place(arguments)


def _place(arguments: argparse.Namespace) -> tuple[str, str]:
    shards = arguments.format == "shards"
    try:
        place = source_of(arguments.upload + "list" * shards)
    except ValueError as error:
        raise CommandError(f"--upload {arguments.upload}: {error}") from error
    if shards != arguments.upload.endswith("/"):
        raise CommandError(f"--upload {arguments.upload}: shards need a place that ends with /, one file does not")
    return place.bucket, place.key.removesuffix("list") if shards else place.key


@contextmanager
def _lines(arguments: argparse.Namespace, source: str) -> Iterator[Iterable[Image | BadLine]]:
    if not arguments.bucket:
        with open_lines(source) as lines:
            yield lines
        return
    from bulk.list_objects import Listing
    from cli.connection import connect

    with connect(Choice.from_arguments(arguments)) as connection:
        console.say(f"Listing s3://{arguments.bucket}/{arguments.prefix} on {connection.target.description}")
        listing = Listing(connection.aws.s3, arguments.bucket, arguments.prefix, every=arguments.every)
        yield listing
        for reason, count in listing.left_out.items():
            console.say(f"Left out: {count} {reason}")


def _collect(lines: Iterable[Image | BadLine], groups: Any, report: Report) -> None:
    from bulk.seen import Seen

    with console.progress() as progress, Seen() as seen:
        task = progress.add_task("Reading", total=None)
        for line in lines:
            if isinstance(line, BadLine):
                report.bad(line)
            elif (first := seen.first(line.name, line.line)) != line.line:
                report.duplicate(line, first)
            else:
                groups.add(line)
            if line.line % 1000 == 0:
                progress.update(task, completed=line.line)


def _upload(arguments: argparse.Namespace, out: Path) -> str:
    from bulk.list_upload import upload_list
    from cli.connection import connect

    bucket, key = _place(arguments)
    with connect(Choice.from_arguments(arguments)) as connection:
        console.say(f"Uploading to s3://{bucket}/{key} on {connection.target.description}")
        upload_list(connection.aws.s3, out, bucket, key)
    return f"s3://{bucket}/{key}"


if __name__ == "__main__":
    sys.exit(main())
