"""Children for `transform_isolated` that need no start: copies of one process that is ready and never sees an image.

A new Python that imports Pillow takes 120 ms of CPU, a copy of one that has done so takes a tenth of that. Every image
still has a process of its own, which begins as it was before the first one and goes when its image is done: nothing
that an image does reaches the next. docs/decisions/isolation.md says more; `nursing.py` is the other side.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from pipeline.images.child import Budget, Child, IsolationError, bare_environment, bare_python
from pipeline.images.isolate import WORK

_NUMBER = struct.Struct("!i")
_START_SECONDS = 20.0


class Nursery:
    """Gives out children; safe to share between threads. The process that they are copies of starts with the first one.

    It ends when this process does, however that ends. For Linux.
    """

    def __init__(self, work: str = WORK) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._original: subprocess.Popen[bytes] | None = None

    @contextmanager
    def start(self, work: str, budget: Budget) -> Iterator[Child]:
        """A child for one image, as `transform_isolated` wants it."""
        assert work == self._work, "the nursery has learnt other work"
        child = Child(self._copy(budget), budget)
        try:
            yield child
        finally:
            child.close()

    def close(self) -> None:
        """Let the original end; what its copies have in hand is lost."""
        with self._lock:
            self._forget()

    def _copy(self, budget: Budget) -> _Copy:
        job, answer, errors, (report, reports) = os.pipe(), os.pipe(), os.pipe(), socket.socketpair()
        theirs = [job[0], answer[1], errors[1], reports.fileno()]
        copy = _Copy(os.fdopen(job[1], "wb"), os.fdopen(answer[0], "rb"), os.fdopen(errors[0], "rb"), report)
        try:
            self._order([budget.cpu_seconds, budget.seconds, budget.memory], theirs)
        except OSError as error:
            copy.close()
            raise IsolationError(f"no child could be started: {error}") from error
        finally:
            reports.close()
            for descriptor in theirs[:3]:
                os.close(descriptor)
        copy.wait_for_birth()
        return copy

    def _order(self, limits: list[float], descriptors: list[int]) -> None:
        message = json.dumps(limits).encode()
        with self._lock:
            try:
                socket.send_fds(self._ready(), [message], descriptors)
            except (BrokenPipeError, ConnectionResetError):
                # The original has died since; the next one is none the worse for it.
                self._forget()
                socket.send_fds(self._ready(), [message], descriptors)

    def _ready(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._original = subprocess.Popen(
                    bare_python("pipeline.images.nursing", self._work),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd=os.sep,
                    env=bare_environment(),
                    start_new_session=True,
                )
        return self._control

    def _forget(self) -> None:
        if self._control and self._original:
            self._control.close()
            self._original.kill()
            self._original.wait()
        self._control = self._original = None


class _Copy:
    """A child's process as `isolate.Process` wants it; `report` says its process id, and how it ended."""

    def __init__(self, job: IO[bytes], answer: IO[bytes], errors: IO[bytes], report: socket.socket) -> None:
        self.stdin: IO[bytes] | None = job
        self.stdout: IO[bytes] | None = answer
        self.stderr: IO[bytes] | None = errors
        self._report = report
        self._id: int | None = None
        self._status: int | None = None

    def wait_for_birth(self) -> None:
        try:
            self._id = self._told(_START_SECONDS)
        except (TimeoutError, IsolationError):
            self.close()
            raise IsolationError("the nursery gave birth to no child; what went wrong is on stderr") from None

    def kill(self) -> None:
        # Its keeper leaves the ended process a zombie until `report` is closed, so the id is still its own.
        if self._id is not None and self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self._id, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """As Popen.wait. IsolationError where nobody will ever say how it ended, which is no fault of an image."""
        if self._status is None:
            try:
                self._status = self._told(timeout)
            except TimeoutError:
                raise subprocess.TimeoutExpired("child", timeout or 0) from None
            self._report.close()
        return self._status

    def _told(self, timeout: float | None) -> int:
        try:
            self._report.settimeout(timeout)
            data = self._report.recv(_NUMBER.size, socket.MSG_WAITALL)
        except TimeoutError:
            raise
        except OSError:
            data = b""
        if len(data) < _NUMBER.size:
            self._report.close()
            raise IsolationError("the nursery is gone")
        number: int = _NUMBER.unpack(data)[0]
        return number

    def close(self) -> None:
        self._report.close()
        for pipe in (self.stdin, self.stdout, self.stderr):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
