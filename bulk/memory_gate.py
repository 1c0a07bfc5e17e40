"""How much may be decoded at one time in a bulk program: half of the memory that this machine or container has."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: A decoded image with alpha, and the picture that is made of it while it is still there.
BYTES_PER_PIXEL = 8

_CGROUP = Path("/sys/fs/cgroup")
#: Version 2 and version 1 of Linux's limits on a container.
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
#: Where the system does not say, as on Windows.
_ASSUMED = 2_000_000_000


class MemoryGate:
    """Lets threads decode side by side while what they decode fits into `limit` bytes; a giant goes alone.

    It is a `pipeline.budget.Budget`. In the order in which they come: who needs much is not overtaken again and again
    by those who need little.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._turn = threading.Lock()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Hold the memory of `pixels` for the length of the block; waits until it is free."""
        wanted = min(pixels * BYTES_PER_PIXEL, self._limit)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._taken + wanted <= self._limit)
            self._taken += wanted
        try:
            yield
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()


def memory_gate(memory: int | None = None) -> MemoryGate:
    """A gate of half of `memory` bytes, or of all that there is here."""
    return MemoryGate((memory or machine_memory()) // 2)


def machine_memory(cgroup: Path = _CGROUP) -> int:
    """Bytes of memory that this process can have: the machine's, or its container's where that has less."""
    limits = [int(text) for name in _LIMITS if (text := _read(cgroup / name)).isdecimal()]
    return min([_physical_memory(), *limits])


def machine_cores(cgroup: Path = _CGROUP) -> int:
    """How many cores this process can keep busy, at least one: a container may have a part of the machine's time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal():
        cores = min(cores, -(-int(quota) // int(period)))
    return max(1, cores)


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _ASSUMED


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
