"""Submits a file list to AWS Batch, and follows it to its end."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bulk.list_arguments import add_list_arguments, count_batches, require_list, settings_of
from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.connection import Connection, connect
from cli.exits import CommandError, Exit
from pipeline.batch.file_list import MOST_BATCHES
from pipeline.batch.following import Child, environment, failed, reason
from pipeline.batch.jobs import BatchJobs, Order, Submitted
from pipeline.batch.settings import BatchSettings
from pipeline.batch.stored_lists import StoredList

_SETUP = "setup.py --with-batch"


def main(argv: Sequence[str] | None = None) -> int:
    """Submit, and with --wait follow; returns the exit code: 1 where a job failed that was waited for."""
    parser = command_parser(
        "Submits a file list to AWS Batch as one array job, a child for each batch.",
        "python bulk/submit_batch.py s3://lists/may.json s3://photos/compressed --wait",
        "python bulk/submit_batch.py list.json            a list on this machine is uploaded first",
        "python bulk/submit_batch.py --follow JOB         wait for a job that was submitted before",
        "python bulk/submit_batch.py --retry-failed JOB --wait",
        prog="submit_batch.py",
    )
    add_list_arguments(parser, needed=False)
    parser.add_argument("--wait", action="store_true", help="until all children have ended")
    parser.add_argument("--again", action="store_true", help="although the same was submitted before")
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--retry-failed", metavar="JOB", help="submit the children of this job that failed, no others")
    known.add_argument("--follow", metavar="JOB", help="submit nothing: wait for this job")
    arguments = parser.parse_args(argv)
    if (arguments.list is None) == (arguments.retry_failed is None and arguments.follow is None):
        parser.error("give LIST, or --retry-failed JOB, or --follow JOB")
    return exits.run(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    with connect(Choice.from_arguments(arguments)) as connection:
        if not connection.target.is_aws:
            advice = "`python bulk/run_file_list_locally.py LIST` does the same here"
            raise CommandError(f"the local cloud starts no containers: {advice}")
        console.say(f"On {connection.target.description}")
        if arguments.follow:
            return _follow(connection, {"job_id": arguments.follow}, as_json=arguments.json)
        order = _order_again(connection, arguments) if arguments.retry_failed else _order(connection, arguments)
        if not order.batches:
            console.say(f"No child of {arguments.retry_failed} has failed: nothing is submitted")
            return Exit.DONE
        submitted = _submit(connection, order)
        said = {**asdict(submitted), "batches": len(order.batches)}
        _tell(said, arguments)
        return _follow(connection, said, as_json=arguments.json) if arguments.wait else Exit.DONE


def _order(connection: Connection, arguments: argparse.Namespace) -> Order:
    settings = require_list(connection.aws.s3, settings_of(arguments, connection))
    count = count_batches(connection.aws.s3, settings)
    if count > MOST_BATCHES:
        raise CommandError(f"the list has {count} batches; an array job has at most {MOST_BATCHES} children")
    # Typed twice, the same command for the same list is the same job.
    token = _token(json.dumps(asdict(settings), sort_keys=True), _count_of(arguments, connection, settings))
    return Order(settings=settings, batches=tuple(range(1, count + 1)), token=token)


def _order_again(connection: Connection, arguments: argparse.Namespace) -> Order:
    job_id = arguments.retry_failed
    told = BatchSettings.from_environment(environment(connection.aws.batch, job_id))
    # In another list, the same numbers are other images.
    settings = require_list(connection.aws.s3, told)
    numbers = tuple(child.batch for child in failed(connection.aws.batch, job_id, _indexes(connection, settings)))
    token = _token("retry", job_id, json.dumps(numbers), _count_of(arguments, connection, settings))
    return Order(settings=settings, batches=numbers, token=token)


def _count_of(arguments: argparse.Namespace, connection: Connection, settings: BatchSettings) -> str:
    """With --again, how many submissions of this list there are: one more than before is another token."""
    if not arguments.again:
        return ""
    prefix = f"{settings.json_location.rstrip('/')}.jobs/"
    pages = connection.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=settings.in_bucket, Prefix=prefix)
    return str(sum(page["KeyCount"] for page in pages))


def _token(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _submit(connection: Connection, order: Order) -> Submitted:
    resources, aws = connection.resources, connection.aws
    jobs = BatchJobs(
        aws.batch,
        aws.batch_once,
        aws.s3,
        queue=resources.require("batch-queue", _SETUP),
        definition=resources.require("batch-job-definition", _SETUP),
    )
    return jobs.submit(order)


def _tell(said: Mapping[str, Any], arguments: argparse.Namespace) -> None:
    if not said["is_new"]:
        console.say("The same was submitted before, as this job; --again submits it once more")
    line = f"{said['job_id']}  {said['name']}  {said['batches']} batches"
    with console.heard_or_not():
        if not arguments.json:
            console.result(line)
        elif arguments.wait:
            console.say(line)
        else:
            console.json_line(said)


def _follow(connection: Connection, said: Mapping[str, Any], *, as_json: bool) -> int:
    """`said`: what is known of the job already; a program that reads JSON gets it and the end in one line."""
    from bulk.batch_waiting import wait

    batch, job_id = connection.aws.batch, said["job_id"]
    states = wait(batch, job_id)
    settings = BatchSettings.from_environment(environment(batch, job_id))
    children = failed(batch, job_id, _indexes(connection, settings)) if states["FAILED"] else []
    why = reason(batch, job_id) if states["FAILED"] and not children else ""
    _tell_failures(connection, children)
    if why:
        console.say(f"{job_id} failed before its first batch: {why}")
    with console.heard_or_not():
        if as_json:
            ended = {"succeeded": states["SUCCEEDED"], "failed": [child.batch for child in children], "reason": why}
            console.json_line({**said, **ended})
        else:
            console.result(f"{states['SUCCEEDED']} batches succeeded, {states['FAILED']} failed")
    if children:
        console.say(f"Again, those that failed: python bulk/submit_batch.py --retry-failed {job_id} --wait")
    return Exit.SOME_FAILED if states["FAILED"] else Exit.DONE


def _indexes(connection: Connection, settings: BatchSettings) -> list[int] | None:
    if settings.indexes is None:
        return None
    return StoredList.of(connection.aws.s3, settings).indexes(settings.indexes)


def _tell_failures(connection: Connection, children: Sequence[Child]) -> None:
    from pipeline.batch.following import last_words

    for child in children:
        how = f"exit code {child.exit_code}" if child.exit_code is not None else child.reason
        console.say(f"batch_{child.batch} failed ({how}): {last_words(connection.aws.logs, child)}")


if __name__ == "__main__":
    sys.exit(main())
