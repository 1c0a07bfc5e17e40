"""Compresses all images of a file list on this machine: the jobs of AWS Batch as processes, without Docker."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bulk.list_arguments import add_list_arguments, count_batches, require_list, settings_of
from cli import console, exits
from cli.arguments import Choice, command_parser, positive
from cli.connection import connect
from cli.exits import Exit
from pipeline.batch.file_list import batch_name

#: By whom connections are vouched for, where a proxy looks into them.
_CERTIFICATES = "AWS_CA_BUNDLE"

if TYPE_CHECKING:
    from bulk.local_jobs import Ended
    from cli.targets import Target


def main(argv: Sequence[str] | None = None) -> int:
    """Start the jobs, wait, add up; returns the exit code: 1 where an image failed or a job ended badly."""
    parser = command_parser(
        "Compresses all images of a file list on this machine: the jobs of AWS Batch as processes, without Docker.",
        "python bulk/run_file_list_locally.py s3://lists/may.json s3://photos/compressed --jobs 4",
        "python bulk/run_file_list_locally.py s3://lists/may/ s3://photos/compressed      a list in shards",
        "python bulk/run_file_list_locally.py test_files/file_list.json --local           a list on this machine",
        prog="run_file_list_locally.py",
    )
    add_list_arguments(parser)
    parser.add_argument("--jobs", type=positive, default=2, help="how many at one time (default: 2)")
    parser.add_argument("--attempts", type=positive, default=3, help="of a job that is killed (default: 3)")
    arguments = parser.parse_args(argv)
    return exits.run(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    from bulk.local_jobs import LocalJobs

    with connect(Choice.from_arguments(arguments)) as connection:
        console.say(f"On {connection.target.description}")
        settings = require_list(connection.aws.s3, settings_of(arguments, connection))
        count = count_batches(connection.aws.s3, settings)
        target, told = connection.target, settings.to_environment()
    with console.progress() as progress:
        task = progress.add_task("Batches", total=count)
        jobs = LocalJobs(
            lambda: _environment(target) | told,
            arguments.jobs,
            arguments.attempts,
            tell=console.say,
            advance=lambda ended: progress.advance(task),
        )
        ended = jobs.run(range(1, count + 1))
    return _tell(ended, as_json=arguments.json)


def _environment(target: Target) -> dict[str, str]:
    """This machine's, with the keys and the address of the target in it; a job looks nowhere else.

    Asked for anew for each job: temporary keys are renewed.
    """
    ours = ("AWS_", "BATCH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) or name == _CERTIFICATES}
    credentials = target.session.get_credentials()
    if credentials is not None:
        keys = credentials.get_frozen_credentials()
        kept |= {"AWS_ACCESS_KEY_ID": keys.access_key or "", "AWS_SECRET_ACCESS_KEY": keys.secret_key or ""}
        kept |= {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
    return kept | ({"AWS_ENDPOINT_URL": target.endpoint_url} if target.endpoint_url else {})


def _tell(ended: Sequence[Ended], *, as_json: bool) -> int:
    compressed, images = sum(one.compressed or 0 for one in ended), sum(one.images or 0 for one in ended)
    bad = [one for one in ended if one.exit_code]
    for one in bad:
        how = "has failures" if one.exit_code == Exit.SOME_FAILED else f"ended with exit code {one.exit_code}"
        console.say(f"{batch_name(one.number)} {how}: see above")
    failed = {batch_name(one.number): one.exit_code for one in bad}
    with console.heard_or_not():
        if as_json:
            console.json_line({"compressed": compressed, "images": images, "batches": len(ended), "failed": failed})
        else:
            console.result(f"Compressed {compressed}/{images} files.")
    return Exit.SOME_FAILED if bad else Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
