"""`transform` in a process of its own, for decoders that are not trusted and images that may have killed one before.

The child inherits no environment, no descriptors and no memory; it has 10 s of CPU time and 768 MB, a wall clock of
its own, and dies with its parent. Reasons, costs and what it does not protect from: docs/decisions/isolation.md.

| what becomes of the child                     | raised here                       |
| --------------------------------------------- | --------------------------------- |
| it answers with a RejectError                 | the same                          |
| CPU time, clock or memory used up, or SIGKILL | RejectError(TOO_LARGE)            |
| any other crash, or an answer that is none    | RejectError(CORRUPT_FILE)         |
| it never gets ready: not the image's fault    | IsolationError, a bug: try again  |
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import IO, Protocol

from pipeline.errors import Code, RejectError
from pipeline.images import wire
from pipeline.images.options import ImageOptions
from pipeline.images.transform import Transformed

WORK = "pipeline.images.transform:transform"
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


#: Starts a child for work within a budget: (work, budget) → the child, for the length of a block.
Start = Callable[[str, Budget], AbstractContextManager["Child"]]

_DEFAULTS = ImageOptions()
_BUDGET = Budget()


def transform_isolated(
    data: bytes,
    options: ImageOptions = _DEFAULTS,
    *,
    decoding: Callable[[int], AbstractContextManager[object]] = nullcontext,
    budget: Budget = _BUDGET,
    work: str = WORK,
    start: Start | None = None,
) -> Transformed:
    """What `transform` makes of `data`, made in a child within `budget`; `work` names the function as module:function.

    `start`: how to come by a child, if not by starting a Python (`pipeline/nursery.py`).

    `decoding(pixels)` is entered here, for as long as the child holds the pixels.

    Raises RejectError for every fault of the image, a crash of its decoder included, and IsolationError for our own.
    """
    with (start or _started)(work, budget) as child:
        child.get_ready()
        try:
            answer, blobs = child.ask(data, options, decoding)
            if "bug" in answer:
                raise IsolationError(f"the child failed: {answer['bug']!a:.500}")
            if "rejected" in answer:
                raise wire.rejection_from_header(answer["rejected"])
            return _transformed(answer, blobs, data, options)
        except (wire.BrokenAnswerError, OSError):
            raise child.verdict() from None


def _transformed(answer: wire.Header, blobs: list[bytes], data: bytes, options: ImageOptions) -> Transformed:
    """The answer as a value, once it is one that `transform` could have given for these options."""
    described = answer.get("outputs")
    if not isinstance(described, list) or len(described) != len(blobs):
        raise wire.BrokenAnswerError("outputs without their bytes")
    outputs = tuple(map(wire.output_from_header, described, blobs))
    left_out = wire.names_from_header(answer.get("left_out"))
    wire.check_names([output.name for output in outputs], left_out, options)
    return Transformed(outputs, wire.facts_from_header(answer.get("facts"), data), left_out)


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
def _started(work: str, budget: Budget) -> Iterator[Child]:
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
