"""How much one image may take of a worker: processor time and memory, both kept by the kernel.

So they hold in the middle of C code too, which lets nothing else of the process have a turn.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from bulk.memory_gate import machine_memory

T = TypeVar("T")


@dataclass(frozen=True)
class Bounds:
    """`cpu_seconds`: the worker's process ends when an image takes longer. A PNG of 100 megapixels, the slowest lawful
    image, is given up by its packer after 60 s on one core.

    `memory`: bytes that the process may hold; a decoder that wants more is refused, and its image is too large. By
    default three quarters of what this machine has: the gate gives a giant that goes alone half of it for its pixels.
    """

    cpu_seconds: float = 300.0
    memory: int = field(default_factory=lambda: machine_memory() * 3 // 4)


def within(work: Callable[..., T], bounds: Bounds, *arguments: object) -> T:
    """What `work` returns, in a worker that does one thing at a time. Windows keeps no bounds."""
    with _memory(bounds.memory), _cpu(bounds.cpu_seconds):
        return work(*arguments)


@contextmanager
def _cpu(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextmanager
def _memory(limit: int) -> Iterator[None]:
    try:
        import resource
    except ImportError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    # Who set one before had a reason. Without any it is infinity, which is -1.
    tightest = min([limit, *(one for one in (soft, hard) if one != resource.RLIM_INFINITY)])
    resource.setrlimit(resource.RLIMIT_DATA, (tightest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
