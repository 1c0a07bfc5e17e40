"""One image in a worker: everything that a worker does, from a row of the list to what became of it."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bulk.compress.backup import BackingUpStorage, Backup
from bulk.compress.gate import MemoryGate
from bulk.compress.options import Options
from bulk.compress.outcome import Done, Outcome
from bulk.compress.spool import Spool, SpoolError
from bulk.compress.story import Story
from bulk.compress.transform import Compressor
from bulk.csv_rows import Row
from cli.credentials import aws_session, local_session, read_env_file
from cli.exits import EXPIRED, UNKNOWN
from pipeline.budget import Budget
from pipeline.clients import make_client
from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.job import Output
from pipeline.objects import ObjectVersion, StoredObject
from pipeline.process import process
from pipeline.services import Services
from pipeline.storage import Storage
from pipeline.watch import Watch

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


#: Real keys never leave for a port of this machine.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the bucket is, without any secret: each worker finds its own credentials."""

    region: str
    endpoint_url: str | None
    profile: str | None
    home: str

    def s3(self) -> S3Client:
        session = (
            local_session(self.region)
            if urlsplit(self.endpoint_url or "").hostname in LOOPBACK
            else aws_session(os.environ, read_env_file(Path(self.home) / ".env"), self.profile)
        )
        return make_client(session, "s3", endpoint_url=self.endpoint_url, region=self.region)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a worker is told, the same for all images of a run. `memory`: bytes for decoding; None: half of all."""

    place: Place
    bucket: str
    temp_dir: str
    options: Options
    backup: Backup | None = None
    dry_run: bool = False
    memory: int | None = None


def compress(order: Order, row: Row) -> Done:
    """Compress one image where it lies. Never raises: whatever happened is in what it returns."""
    return bench_of(order).work(row)


@cache
def bench_of(order: Order) -> Bench:
    """What a worker keeps from one image to the next: its client above all."""
    from distributed.system import MEMORY_LIMIT

    folder = Path(tempfile.gettempdir()) / f"image-pipeline-memory-{os.getuid() if hasattr(os, 'getuid') else ''}"
    return Bench(order, order.place.s3(), MemoryGate(folder, order.memory or MEMORY_LIMIT // 2))


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
            done = Done(line=row.line, key=row.key, outcome=Outcome.FAILED, reason=str(error), stop=str(error))
        _tell_the_end(done, story)
        return replace(
            done,
            before=story.before,
            after=story.after,
            etag_before=story.etag_before,
            etag_after=story.etag_after,
            lines=tuple(story.lines),
        )

    def _processed(self, row: Row, spool: Spool, story: Story) -> Done:
        def ended(outcome: Outcome, reason: str = "", code: str = "", stop: str = "") -> Done:
            return Done(line=row.line, key=row.key, outcome=outcome, reason=reason, code=code, stop=stop)

        order = self.order
        try:
            process(order.options.job(order.bucket, row.key), self._services(spool), self._watch(story))
        except SkipError as skip:
            return ended(_skipped(skip, story), skip.reason, skip.code or "")
        except RejectError as reject:
            return ended(_rejected(reject, story, order.options), reject.reason, reject.code)
        except RetryError as error:
            return ended(Outcome.RETRY, error.reason, stop=_hopeless(error))
        except SpoolError:
            raise
        except Exception:
            story.say(traceback.format_exc(), "ERROR")
            return ended(Outcome.RETRY, f"a bug: {traceback.format_exc(limit=0).strip()}")
        return ended(Outcome.WOULD_COMPRESS if order.dry_run else Outcome.COMPRESSED)

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


def _skipped(skip: SkipError, story: Story) -> Outcome:
    if skip.code is Code.FILE_DELETED:
        return Outcome.IGNORED
    return Outcome.ALREADY if story.was_done else Outcome.UNCHANGED


def _rejected(reject: RejectError, story: Story, options: Options) -> Outcome:
    """What is no good image is passed over; that ours came out empty, or an early end if so wished, is a failure."""
    ours_is_empty = reject.code is Code.INVALID_CONTENT and bool(story.before)
    ends_early = reject.code is Code.TRUNCATED_IMAGE and not options.ignore_trunc
    return Outcome.FAILED if ours_is_empty or ends_early else Outcome.IGNORED


def _hopeless(error: RetryError) -> str:
    """Why every other image would meet the same, if it would: credentials that are no longer any good."""
    answer = getattr(error.__cause__, "response", {})
    code = answer.get("Error", {}).get("Code", "") if isinstance(answer, dict) else ""
    return code if code in EXPIRED | UNKNOWN else ""


def _tell_the_end(done: Done, story: Story) -> None:
    if done.outcome is Outcome.COMPRESSED and story.before and story.after is not None:
        story.say(f"Compressed {done.key}: {100 * (story.before - story.after) / story.before:.1f} % saved")
    elif done.outcome in (Outcome.ALREADY, Outcome.UNCHANGED):
        story.say(f"Left {done.key} as it is: {done.reason}")
    elif done.outcome is Outcome.RETRY:
        story.say(f"Could not finish {done.key}, to be tried again: {done.reason}", "WARNING")
    elif done.code:
        level = "ERROR" if done.outcome is Outcome.FAILED else "WARNING"
        story.say(f"[{done.code}] {done.key}: {done.reason}", level)
    elif done.reason:
        story.say(f"{done.key}: {done.reason}", "ERROR")
