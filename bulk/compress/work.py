"""One image in a worker: everything that a worker does, from a row of the list to what became of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulk.compress.backup import BackingUpStorage, Backup
from bulk.compress.gate import machine_gate
from bulk.compress.options import Options
from bulk.compress.outcome import Done, Outcome
from bulk.compress.spool import Spool, SpoolError, sweep
from bulk.compress.story import Story
from bulk.compress.transform import Compressor
from bulk.compress.verdict import tell, verdict
from bulk.csv_rows import Row
from cli.credentials import aws_session, local_session, read_env_file
from cli.exits import CommandError, Exit, explain
from pipeline.budget import Budget
from pipeline.clients import is_loopback, make_client
from pipeline.job import Output
from pipeline.objects import ObjectVersion, StoredObject
from pipeline.process import process
from pipeline.services import Services
from pipeline.storage import Storage
from pipeline.watch import Watch

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the bucket is, without any secret: each worker finds its own credentials."""

    region: str
    endpoint_url: str | None
    profile: str | None
    home: str

    def s3(self) -> S3Client:
        # Real keys never leave for a port of this machine.
        session = (
            local_session(self.region)
            if is_loopback(self.endpoint_url)
            else aws_session(os.environ, read_env_file(Path(self.home) / ".env"), self.profile)
        )
        return make_client(session, "s3", endpoint_url=self.endpoint_url, region=self.region)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a worker is told, the same for all images of a run."""

    place: Place
    bucket: str
    temp_dir: str
    options: Options
    backup: Backup | None = None
    dry_run: bool = False


def compress(order: Order, row: Row) -> Done:
    """Compress one image where it lies. What happened is in what it returns; only a bug leaves as an exception."""
    try:
        return bench_of(order).work(row)
    except SpoolError as error:
        return _stopped(row, _no_room(error))
    except Exception as error:
        # There is no bench, and would be none for any other image: a login that is over, a profile that is not here.
        stop = explain(error)
        if stop is None:
            raise
        return _stopped(row, stop)


@cache
def bench_of(order: Order) -> Bench:
    """What a worker keeps from one image to the next: its client above all. It begins where others may have died."""
    sweep(order.temp_dir)
    return Bench(order, order.place.s3(), machine_gate())


def _no_room(error: SpoolError) -> CommandError:
    return CommandError(f"{error}: set --temp_dir or TMPDIR", Exit.SOME_FAILED)


def _stopped(row: Row, stop: CommandError) -> Done:
    return Done(line=row.line, key=row.key, outcome=Outcome.RETRY, reason=stop.text, stop=stop)


#: By whether the run is a dry one.
_COMPRESSED = {False: Outcome.COMPRESSED, True: Outcome.WOULD_COMPRESS}


class _PretendingStorage(Storage):
    """`Storage` that replaces nothing."""

    def replace(
        self, bucket: str, key: str, output: Output, found: StoredObject, *, mark: str, keep_headers: bool
    ) -> ObjectVersion:
        return found.version


@dataclass(frozen=True)
class Bench:
    """A worker's tools. `watch` is told of each step before the story is."""

    order: Order
    s3: S3Client
    budget: Budget
    watch: Watch | None = None
    now: Callable[[], datetime] = datetime.now

    def work(self, row: Row) -> Done:
        """What `compress` does."""
        order = self.order
        spool = Spool(order.temp_dir, row.key)
        story = Story(order.bucket, row.key, spool, dry_run=order.dry_run, now=self.now)
        try:
            with spool:
                done = self._processed(row, spool, story)
                story.ended()
        except SpoolError as error:
            done = _stopped(row, _no_room(error))
        tell(done, story)
        return replace(
            done,
            before=story.before,
            after=story.after,
            etag_before=story.etag_before,
            etag_after=story.etag_after,
            lines=tuple(story.lines),
        )

    def _processed(self, row: Row, spool: Spool, story: Story) -> Done:
        order = self.order
        try:
            process(order.options.job(order.bucket, row.key), self._services(spool), self._watch(story))
        except SpoolError:
            raise
        except Exception as error:
            return verdict(error, row, story, order.options)
        return Done(line=row.line, key=row.key, outcome=_COMPRESSED[order.dry_run])

    def _services(self, spool: Spool) -> Services:
        transform = Compressor(self.order.options).transform
        return Services(storage=self._storage(spool), budget=self.budget, transform=transform, isolated=transform)

    def _storage(self, spool: Spool) -> Storage:
        if self.order.dry_run:
            return _PretendingStorage(self.s3, read=spool.read)
        if self.order.backup:
            return BackingUpStorage(self.s3, self.order.backup, read=spool.read)
        return Storage(self.s3, read=spool.read)

    def _watch(self, story: Story) -> Watch:
        if self.watch is None:
            return story
        first = self.watch

        def both(step: str, facts: Any) -> None:
            first(step, facts)
            story(step, facts)

        return both
