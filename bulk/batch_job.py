"""One job from its variables to its last line."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from bulk.batch_results import ResultFile, Results, Row
from bulk.batch_run import GRACE, BatchRun
from bulk.memory_gate import machine_cores, machine_memory, memory_gate
from bulk.patience import PAUSES, patiently
from cli import console
from pipeline.batch.file_list import batch_name
from pipeline.batch.settings import BatchSettings, own_batch
from pipeline.batch.stored_lists import StoredList
from pipeline.clients import make_client
from pipeline.errors import RetryError
from pipeline.services import Services
from pipeline.storage import Storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Seconds between two looks at the work by whoever reads the log, and between two checkpoints.
_TOLD_EVERY = 10.0
_KEPT_EVERY = 60.0
#: While one thread waits for S3, another one can use its core.
_WORKERS_PER_CORE = 2
#: A job that is told to stop has seconds for its checkpoint.
_SHORT = (0.2, 0.5, 1.0)


@dataclass
class BatchJob:
    """`job`: the id that AWS Batch gives; the same for all attempts, which believe no row but those of this job.
    `attempt` counts from 1.

    `memory` in bytes, where less than the machine's is ours.
    """

    s3: S3Client
    settings: BatchSettings
    number: int
    images: list[str]
    workers: int
    job: str
    memory: int | None = None
    attempt: int = 1
    clock: Callable[[], float] = time.monotonic
    services: Services | None = None
    grace: float = GRACE
    rows: dict[str, Row] = field(default_factory=dict)
    before: Mapping[str, Row] = field(default_factory=dict)

    @classmethod
    def of(cls, environ: Mapping[str, str], workers: int | None) -> BatchJob:
        """Raises SettingsError and FileListError, each with one line, before anything is done."""
        settings = BatchSettings.from_environment(environ)
        workers = workers or _WORKERS_PER_CORE * machine_cores()
        # What can be said without asking anybody is said first.
        number = 0 if settings.indexes else own_batch(environ)
        address = environ.get("AWS_ENDPOINT_URL") or None
        s3 = make_client(None, "s3", endpoint_url=address, region=settings.region, connections=workers + 2)
        stored = StoredList.of(s3, settings)
        if settings.indexes:
            number = own_batch(environ, patiently(partial(stored.indexes, settings.indexes)))
        images = list(dict.fromkeys(patiently(partial(stored.images, number))))
        console.say(f"{batch_name(number)} of {stored}: {len(images)} images ({stored.bytes_read} bytes of list read)")
        attempt, memory = environ.get("AWS_BATCH_JOB_ATTEMPT", "1"), environ.get("BATCH_JOB_MEMORY", "")
        return cls(
            s3,
            settings,
            number,
            images,
            workers,
            job=environ.get("AWS_BATCH_JOB_ID") or f"alone-{uuid.uuid4()}",
            memory=min(machine_memory(), int(memory) * 1_000_000) if memory.isdecimal() else None,
            attempt=int(attempt) if attempt.isdecimal() else 1,
        )

    @property
    def failed(self) -> int:
        # Of a list: workers add rows meanwhile.
        return sum(row.is_failed for row in list(self.rows.values()))

    def run(self, stop: threading.Event) -> bool:
        """Whether all images came to an end. Keeps the results on the way and at the end, and prints the last line.

        Raises RetryError where the credentials were over before all was done.
        """
        file = ResultFile(self.s3, self.settings, self.number)
        before = _read(file)
        self.before = before.rows
        done = {image: row for image, row in before.rows.items() if row.is_done_by(self.job)}
        self.rows = {image: done[image] for image in self.images if image in done}
        ended = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(file, ended), daemon=True)
        keeper.start()
        run = self._run_after(before, stop)
        finished = run.run(image for image in self.images if image not in self.rows)
        ended.set()
        keeper.join(5)
        self._write(file, stopped=not finished, hung=run.hung)
        with console.heard_or_not():
            console.result(f"Compressed {len(self.rows) - self.failed}/{len(self.images)} files.")
        if run.expired:
            raise run.expired
        return finished

    def _run_after(self, before: Results, stop: threading.Event) -> BatchRun:
        # A machine that is taken away says so first; who died without a word may have died of an image.
        suspicious = self.attempt > 1 and not (before.job == self.job and before.stopped)
        return BatchRun(
            self.services or Services(storage=Storage(self.s3), budget=memory_gate(self.memory)),
            self.settings,
            self._report,
            stop,
            self.workers,
            extensions={image: row.key.rpartition(".")[2] for image, row in before.rows.items() if row.key},
            suspicious=suspicious,
            suspects=before.hung,
            grace=self.grace,
        )

    def _report(self, row: Row) -> None:
        row = replace(row, job=self.job)
        earlier = self.before.get(row.image)
        if earlier and not row.is_failed and row.key is None:
            # Found in place: where, and how large, is what was known before.
            row = replace(row, key=earlier.key, bytes_after=earlier.bytes_after)
        self.rows[row.image] = row
        if row.is_failed:
            console.say(f"failed: {row.image}: {row.code}: {row.reason}")

    def _keep(self, file: ResultFile, ended: threading.Event) -> None:
        kept = self.clock()
        while not ended.wait(_TOLD_EVERY):
            console.say(f"{len(self.rows)}/{len(self.images)} images, {self.failed} failed")
            if self.clock() >= kept + _KEPT_EVERY:
                self._write(file, stopped=False)
                kept = self.clock()

    def _write(self, file: ResultFile, *, stopped: bool, hung: tuple[str, ...] = ()) -> None:
        results = Results(job=self.job, stopped=stopped, hung=hung, rows=dict(self.rows))
        try:
            patiently(lambda: file.write(results, self.images), pauses=_SHORT if stopped else PAUSES)
        except RetryError as error:
            # The outputs are there all the same, and a retry finds them.
            console.say(f"the results could not be kept: {error.reason}")


def _read(file: ResultFile) -> Results:
    try:
        return file.read()
    except RetryError as error:
        console.say(f"results of an earlier job could not be read: {error.reason}")
        return Results()
