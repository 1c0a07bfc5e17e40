"""What AWS Batch does with an array job, as processes of this machine: one for each batch, some at a time."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cli.exits import Exit
from pipeline.batch.file_list import batch_name
from pipeline.batch.settings import ARRAY_INDEX
from pipeline.settings import ROOT

_PROGRAM = ROOT / "bulk" / "compress_images.py"
_LAST_LINE = re.compile(r"Compressed (\d+)/(\d+) files\.")
#: How a job ends before its work is done: stopped, killed, or with keys that are over. Such a one is started again, and
#: asks for its keys anew.
_NOT_DONE = (Exit.TERMINATED, Exit.REFUSED, 137, -signal.SIGTERM, -int(getattr(signal, "SIGKILL", 9)))
#: Seconds in which a job that is told to stop keeps what it has.
_GRACE = 30.0


@dataclass(frozen=True)
class Ended:
    """How the job of one batch ended: its exit code, and what its last line says; None where it had none to say."""

    number: int
    exit_code: int
    compressed: int | None = None
    images: int | None = None


@dataclass
class LocalJobs:
    """`environ` says what a job is given that begins now, its index left out; `command` is its program.

    `children`: the processes that run now, by batch.
    """

    environ: Callable[[], Mapping[str, str]]
    jobs: int
    attempts: int
    tell: Callable[[str], None]
    advance: Callable[[Ended], None] = lambda ended: None
    command: Sequence[str] = (sys.executable, str(_PROGRAM))
    children: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, numbers: Iterable[int]) -> list[Ended]:
        """All jobs to their ends, in the order of their batches; who interrupts it interrupts them."""
        with ThreadPoolExecutor(self.jobs) as pool:
            try:
                futures = [pool.submit(self._run_one, number) for number in numbers]
                return [future.result() for future in futures]
            except BaseException:
                self._stop()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _stop(self) -> None:
        with self._lock:
            self._stopping.set()
            running = list(self.children.values())
        for child in running:
            child.terminate()
        for child in running:
            try:
                child.wait(_GRACE)
            except subprocess.TimeoutExpired:
                child.kill()

    def _run_one(self, number: int) -> Ended:
        job_id = f"local-{uuid.uuid4()}:{number - 1}"
        ended = Ended(number, Exit.TERMINATED)
        for attempt in range(1, self.attempts + 1):
            if self._stopping.is_set():
                break
            ended = self._attempt(number, job_id, attempt)
            if ended.exit_code not in _NOT_DONE:
                break
        self.advance(ended)
        return ended

    def _attempt(self, number: int, job_id: str, attempt: int) -> Ended:
        own = {ARRAY_INDEX: str(number - 1), "AWS_BATCH_JOB_ID": job_id, "AWS_BATCH_JOB_ATTEMPT": str(attempt)}
        with self._lock:
            if self._stopping.is_set():
                return Ended(number, Exit.TERMINATED)
            child = subprocess.Popen(
                self.command,
                env={**self.environ(), **own},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            self.children[number] = child
        said = None
        assert child.stdout
        with child, child.stdout:
            for line in child.stdout:
                said = _LAST_LINE.fullmatch(line.strip()) or said
                self.tell(f"{batch_name(number)}: {line.rstrip()}")
        code = child.wait()
        if said is None:
            return Ended(number, code)
        return Ended(number, code, int(said[1]), int(said[2]))
