"""The order of a backfill: list a page, read its records, send what is not done in tens, remember the place."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bulk.backfill_checkpoint import Checkpoint
from bulk.backfill_choice import FIELDS, Choice, Fate, Mode, Tally
from bulk.backfill_report import print_tally
from bulk.paced_sending import BATCH, PacedSender
from cli import console
from cli.connection import Connection
from cli.exits import Exit
from cli.queue_counts import waiting
from cli.variants import variants_of
from pipeline.inventory import ListedObject, list_current
from pipeline.queues import Queue
from pipeline.table.records import read_items

Page = Sequence[ListedObject]
Decided = tuple[ListedObject, Fate]


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """`records`: the records of some keys, by key. `send`: takes the keys of at most `batch` objects."""

    choice: Choice
    records: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]
    send: Callable[[Sequence[str]], None]
    batch: int = BATCH

    def run(self, pages: Iterable[Page], tally: Tally) -> Iterator[str]:
        """Counts in `tally`; yields the last key up to which everything has been decided and sent, again and again."""
        for page in pages:
            for part in self._parts(page):
                keys = [found.key for found, fate in part if fate is Fate.SENT]
                if keys:
                    self.send(keys)
                for found, fate in part:
                    tally.add(fate, found.size)
                yield part[-1][0].key

    def _parts(self, page: Page) -> Iterator[list[Decided]]:
        """The page in stretches, each with as many objects to send as go into one call."""
        items = self.records([found.key for found in page])
        part: list[Decided] = []
        for found in page:
            part.append((found, self.choice.fate(found, items.get(found.key))))
            if sum(fate is Fate.SENT for _, fate in part) == self.batch:
                yield part
                part = []
        if part:
            yield part


def run(connection: Connection, arguments: argparse.Namespace) -> int:
    """Do what the arguments say, or with --dry-run only count it; returns the exit code."""
    bucket = connection.resources.require("images-bucket", "setup.py")
    variants = variants_of(connection.resources)
    choice = Choice(_mode(arguments), variants.image_options.hash())
    purpose = json.dumps([bucket, arguments.prefix, choice.mode, choice.options_hash])
    checkpoint = Checkpoint(connection.resources, purpose)
    if arguments.from_start and not arguments.dry_run:
        checkpoint.clear()
    after, tally = ("", Tally()) if arguments.from_start else checkpoint.load()
    if arguments.dry_run:
        # What was sent before the stop will not be sent again.
        tally = Tally()
    console.say(f"On {connection.target.description}, bucket {bucket}")
    if after:
        console.say(f"Going on after {after!r}, where the last run was stopped (--from-start begins anew)")
    pages = list_current(connection.aws.s3, bucket, arguments.prefix, after=after)
    _work(_backfill(connection, bucket, choice, arguments), pages, tally, None if arguments.dry_run else checkpoint)
    print_tally(tally, variants, bucket=bucket, is_dry_run=arguments.dry_run, as_json=arguments.json)
    return Exit.DONE


def _mode(arguments: argparse.Namespace) -> Mode:
    return Mode.FAILED if arguments.failed else Mode.FORCE if arguments.force else Mode.MISSING


def _backfill(connection: Connection, bucket: str, choice: Choice, arguments: argparse.Namespace) -> Backfill:
    aws, table = connection.aws, connection.resources.require("dynamodb-table", "setup.py")
    url = connection.resources.require("messages-queue", "setup.py")
    sender = PacedSender(Queue(aws.sqs, url), lambda: waiting(aws.sqs, url), arguments.queue_depth, console.say)

    def send(keys: Sequence[str]) -> None:
        sender.send([_body(bucket, key, choice) for key in keys])

    def records(keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return read_items(aws.dynamodb, table, keys, FIELDS)

    return Backfill(choice=choice, records=records, send=_forget if arguments.dry_run else send, batch=sender.batch)


def _body(bucket: str, key: str, choice: Choice) -> dict[str, object]:
    return {"bucket_name": bucket, "image_key": key} | ({"force": True} if choice.is_forced else {})


def _forget(keys: Sequence[str]) -> None:
    """What a dry run does instead of sending."""


def _work(backfill: Backfill, pages: Iterable[Page], tally: Tally, checkpoint: Checkpoint | None) -> None:
    with console.progress() as progress:
        task = progress.add_task("Listing", total=None)
        for after in backfill.run(pages, tally):
            if checkpoint:
                checkpoint.save(after, tally)
            told = f"{tally.listed:,} looked at, {tally.sent:,} sent"
            progress.update(task, description=told, completed=tally.listed)
    if checkpoint:
        checkpoint.clear()
