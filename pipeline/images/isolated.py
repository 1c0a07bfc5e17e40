"""The child of `isolate.py`: one image, worked on behind limits that the kernel keeps.

Started as `python -I -S -B -c …`, with nothing inherited but its three pipes. It says `ready`, reads the job, says how
many pixels it will hold, waits for its turn, and answers. C libraries may print what they like: stdout and stderr lead
nowhere by then.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict
from importlib import import_module
from typing import IO, Any

from pipeline.errors import Code, RejectError
from pipeline.images import wire

try:
    import resource
except ImportError:  # Windows has no limits; the parent's clock is all there is.
    resource = None  # type: ignore[assignment]

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Arguments: the parent's process id, `module:function` of the work, and the budget in seconds and bytes."""
    ignore_wishes_to_stop()
    parent, work, cpu_seconds, seconds, memory = sys.argv[1:]
    die_with(int(parent))
    source, answer = private_pipes()
    work_on(imported(work), source, answer, cpu_seconds=int(cpu_seconds), seconds=float(seconds), memory=int(memory))


def ignore_wishes_to_stop() -> None:
    """PM2 sends them to a whole tree of processes. They are for the parent, which ends when its image is done."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def imported(work: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, function = work.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def work_on(
    transform: Callable[..., Any],
    source: IO[bytes],
    answer: IO[bytes],
    *,
    cpu_seconds: int,
    seconds: float,
    memory: int,
) -> None:
    """Read one job, do it behind these limits, and answer."""
    wire.send(answer, {"ready": True})
    header, [data] = wire.receive(source)
    options = wire.options_from_header(header)
    _set_limits(cpu_seconds, memory)
    clock = _Clock(seconds)
    clock.start()
    try:
        made = transform(data, options, decoding=_Turn(source, answer, clock))
        outputs = [wire.output_to_header(output) for output in made.outputs]
        told = {"facts": asdict(made.facts), "outputs": outputs, "left_out": made.left_out}
        wire.send(answer, told, *(output.data for output in made.outputs))
    except RejectError as error:
        wire.send(answer, {"rejected": {"code": error.code, "reason": error.reason}})
    except MemoryError:
        wire.send(answer, {"rejected": {"code": Code.TOO_LARGE, "reason": "the image needs more memory than it may"}})
    except Exception as error:
        wire.send(answer, {"bug": f"{type(error).__name__}: {error}"[:500]})


class _Turn:
    """The `decoding` argument of transform: tells the parent how many pixels, and waits until they fit."""

    def __init__(self, source: IO[bytes], answer: IO[bytes], clock: _Clock) -> None:
        self._source, self._answer, self._clock = source, answer, clock

    def __call__(self, pixels: int) -> AbstractContextManager[None]:
        self._clock.stop()
        wire.send(self._answer, {"pixels": pixels})
        wire.receive(self._source)
        self._clock.start()
        return nullcontext()


class _Clock:
    """Kills this process when its time is up, in the middle of C code too: the kernel does it. Waiting is free."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._set: Callable[..., Any] | None = getattr(signal, "setitimer", None)

    def start(self) -> None:
        if self._set:
            self._set(signal.ITIMER_REAL, self._left)

    def stop(self) -> None:
        if self._set:
            self._left = self._set(signal.ITIMER_REAL, 0)[0]


def die_with(parent: int) -> None:
    """Let the kernel kill this process when the thread that started it ends, however it ends."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """stdin and stdout under other numbers, so that what C libraries print comes between no two messages."""
    source, answer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nowhere, number)
    return source, answer


def _set_limits(cpu_seconds: int, memory: int) -> None:
    """CPU time, address space on top of what is in use, and no files: neither written ones nor core dumps."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)
    if resource is None:
        return
    limits = {"CPU": cpu_seconds, "AS": _address_space() + memory, "FSIZE": 0, "CORE": 0}
    for name, limit in limits.items():
        # macOS knows some of them by name only.
        with suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit + (name == "CPU")))


def _address_space() -> int:
    """Bytes of address space in use; 0 where /proc does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
