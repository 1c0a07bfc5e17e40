"""Batches in processes that are pinned to cores, with threads as the function has them; ways take turns."""

from __future__ import annotations

import functools
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.whole_way.pictures import pictures
from pipeline import freed_memory
from pipeline.budget import PIXELS_IN_FLIGHT, PixelBudget
from pipeline.images.transform import transform

#: Images of a batch: shared evenly by one to four threads where that takes no minutes.
IMAGES = {"48 kB": 12, "1 MB": 12, "12 MP": 4}
THREADS = (1, 2, 3, 4)
#: Milliseconds for each call of S3 or DynamoDB: none, and as `status.py --cost` assumes for AWS.
WAITS = (0, 25)
#: An image waits for two calls before it is decoded, and for four after: docs/architecture.md.
CALLS = (2, 4)


@dataclass(frozen=True)
class Cores:
    """Those that this process may use."""

    numbers: tuple[int, ...]

    @classmethod
    def available(cls) -> Cores:
        return cls(tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ())


@dataclass(frozen=True)
class Way:
    """How a batch is done: with `threads`, each call waiting so long, on so many cores; 2 processes or 1."""

    size: str
    wait_ms: int
    cores: int
    threads: int
    processes: int = 1


@dataclass(frozen=True)
class Row:
    """Medians over the repetitions. `faster`: than one thread on as many cores with the same waits in the same round.

    `busy`: CPU time over wall time: how many cores it used.
    """

    size: str
    wait_ms: int
    cores: int
    threads: int
    processes: int
    images_per_second: float
    faster: float
    busy: float


@dataclass(frozen=True)
class Took:
    images: int
    seconds: float
    cpu: float

    @property
    def speed(self) -> float:
        return self.images / self.seconds


def ways(size: str) -> Iterator[Way]:
    """One thread first, which the others are compared with; last two processes, which share no interpreter."""
    for wait_ms in WAITS:
        for cores in (1, 2):
            yield from (Way(size, wait_ms, cores, threads) for threads in THREADS)
        yield Way(size, wait_ms, 2, 1, processes=2)


def rows(sizes: Sequence[str], cores: Cores, repeat: int, *, say: Callable[[str], None]) -> list[Row]:
    found: list[Row] = []
    with ExitStack() as stack:
        pools = _Pools(stack, cores)
        for size in sizes:
            took: dict[Way, list[Took]] = {way: [] for way in ways(size)}
            pools.warm_up(size)
            for number in range(repeat):
                for way in took:
                    took[way].append(pools.measure(way))
                say(f"{size}: {number + 1} of {repeat}")
            found += [row(way, took[way], took[_base(way)]) for way in took]
    return found


def row(way: Way, took: Sequence[Took], base: Sequence[Took]) -> Row:
    return Row(
        size=way.size,
        wait_ms=way.wait_ms,
        cores=way.cores,
        threads=way.threads,
        processes=way.processes,
        images_per_second=round(statistics.median(one.speed for one in took), 2),
        faster=round(statistics.median(one.speed / other.speed for one, other in zip(took, base, strict=True)), 2),
        busy=round(statistics.median(one.cpu / one.seconds for one in took), 2),
    )


def _base(way: Way) -> Way:
    return Way(way.size, way.wait_ms, way.cores, 1)


class _Pools:
    """A process on the first core, one on the second, and one on both."""

    def __init__(self, stack: ExitStack, cores: Cores) -> None:
        first, second = cores.numbers[:2]
        self._alone, self._other, self._both = (
            stack.enter_context(_pinned(numbers)) for numbers in ({first}, {second}, {first, second})
        )

    def warm_up(self, size: str) -> None:
        for pool in (self._alone, self._other, self._both):
            pool.submit(batch, size, 1, 0).result()

    def measure(self, way: Way) -> Took:
        if way.processes == 2:
            halves = [pool.submit(batch, way.size, way.threads, way.wait_ms) for pool in (self._alone, self._other)]
            one, other = (half.result() for half in halves)
            return Took(one.images + other.images, max(one.seconds, other.seconds), one.cpu + other.cpu)
        pool = self._alone if way.cores == 1 else self._both
        return pool.submit(batch, way.size, way.threads, way.wait_ms).result()


def _pinned(cores: set[int]) -> ProcessPoolExecutor:
    # Spawned: a forked one would share what the parent has in memory.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, context, initializer=_begin, initargs=(cores,))


def _begin(cores: set[int]) -> None:
    os.sched_setaffinity(0, cores)
    freed_memory.keep()


def batch(size: str, threads: int, wait_ms: int) -> Took:
    """Do a batch as the function does, but for the calls, which only take their time."""
    budget, images = PixelBudget(PIXELS_IN_FLIGHT), _pictures(size)

    def work(data: bytes) -> None:
        time.sleep(CALLS[0] * wait_ms / 1000)
        transform(data, decoding=budget.take)
        time.sleep(CALLS[1] * wait_ms / 1000)

    with ThreadPoolExecutor(threads) as pool:
        # Threads are started before the clock is: the function's live as long as it does.
        list(pool.map(time.sleep, [0.01] * threads))
        began, cpu = time.perf_counter(), time.process_time()
        list(pool.map(work, images))
        return Took(len(images), time.perf_counter() - began, time.process_time() - cpu)


@functools.cache
def _pictures(size: str) -> list[bytes]:
    return pictures(size, IMAGES[size])
