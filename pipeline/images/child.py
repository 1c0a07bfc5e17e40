"""A process that works on one image within a budget, from the side of its parent: asked, answering, at its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Protocol

from pipeline.errors import Code, RejectError
from pipeline.images import wire
from pipeline.images.options import ImageOptions

#: Seconds for a child to get ready on a busy machine, and by which the parent's clock runs behind the child's own.
_START_SECONDS = 20.0
_GRACE = 2.0
#: What ends a process that goes beyond its limits; SIGKILL also comes from a kernel that is out of memory.
_LIMITS = frozenset(-getattr(signal, name, 0) for name in ("SIGALRM", "SIGXCPU", "SIGKILL")) - {0}


class IsolationError(RuntimeError):
    """The child could not be started, or has a bug: nothing is known of the image."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a child may use: seconds of CPU, seconds by the clock, bytes of memory on top of those of an idle child."""

    cpu_seconds: int = 10
    seconds: float = 20.0
    memory: int = 768_000_000


class Process(Protocol):
    """What is needed of a child's process: three pipes, and the methods of subprocess.Popen."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def kill(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Child:
    """A process that works on one image, from the parent's side."""

    def __init__(self, process: Process, budget: Budget) -> None:
        self._process = process
        self._budget = budget
        self._late = False
        assert process.stdin and process.stdout
        self._job: IO[bytes] = process.stdin
        self._answer: IO[bytes] = process.stdout

    def get_ready(self) -> None:
        """Until this has succeeded no image is to blame; stderr still leads here, and says what is."""
        try:
            with self._deadline(_START_SECONDS):
                wire.receive(self._answer)
        except wire.BrokenAnswerError:
            status = self._end()
            assert self._process.stderr
            said = self._process.stderr.read(10_000)[-500:]
            raise IsolationError(f"the child did not start (status {status}): {said!a}") from None

    def ask(
        self, data: bytes, options: ImageOptions, decoding: Callable[[int], AbstractContextManager[object]]
    ) -> tuple[wire.Header, list[bytes]]:
        seconds = self._budget.seconds + _GRACE
        with ExitStack() as held:
            with self._deadline(seconds):
                wire.send(self._job, wire.options_to_header(options), data)
                answer, blobs = wire.receive(self._answer)
            if "pixels" in answer:
                held.enter_context(decoding(wire.pixels_from_header(answer)))
                with self._deadline(seconds):
                    wire.send(self._job, {"turn": True})
                    answer, blobs = wire.receive(self._answer)
        return answer, blobs

    def verdict(self) -> RejectError:
        """Why there is no answer; a child that lives on has said what it must not."""
        status = self._end()
        if self._late or status in _LIMITS:
            budget = self._budget
            limits = f"{budget.cpu_seconds} s of CPU, {budget.seconds:g} s, {budget.memory // 1_000_000} MB"
            return RejectError(Code.TOO_LARGE, f"the image needs more than its limits: {limits}")
        return RejectError(Code.CORRUPT_FILE, f"the decoder broke off at this image (status {status})")

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _stop(self) -> None:
        self._late = True
        self._process.kill()

    def _end(self) -> int | None:
        """The status with which it ended, None for one that would not."""
        try:
            return self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        self._process.kill()
        try:
            self._process.wait()
        finally:
            for pipe in (self._job, self._answer, self._process.stderr):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]


@contextmanager
def started(work: str, budget: Budget) -> Iterator[Child]:
    """A new Python that does `work`, named as module:function; gone at the end of the block. Raises IsolationError."""
    limits = (budget.cpu_seconds, budget.seconds, budget.memory)
    command = bare_python("pipeline.images.isolated", str(os.getpid()), work, *map(str, limits))
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=os.sep,
            env=bare_environment(),
            start_new_session=True,  # Ctrl-C at a terminal is for the parent: it is no fault of the image
        )
    except OSError as error:
        raise IsolationError(f"no child could be started: {error}") from error
    child = Child(process, budget)
    try:
        yield child
    finally:
        child.close()


def bare_python(module: str, *arguments: str) -> list[str]:
    """The command that calls `main` of `module` with neither site nor PYTHON* variables.

    What can be imported there is what can be imported here, zip and virtual environment alike.
    """
    boot = f"import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from {module} import main; main()"
    paths = json.dumps([os.path.abspath(path) for path in sys.path])
    return [sys.executable, "-I", "-S", "-B", "-c", boot, paths, *arguments]


def bare_environment() -> dict[str, str]:
    """Nothing is inherited. AWS's Python finds its own library by the first; the second makes memory countable."""
    return {"LD_LIBRARY_PATH": os.path.join(sys.base_prefix, "lib"), "MALLOC_ARENA_MAX": "1"}
