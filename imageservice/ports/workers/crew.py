"""Several workers, each a process of its own, and one that starts them again when they die."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

from imageservice.ports.workers.worker import Stop, back_off

logger = logging.getLogger(__name__)

#: A worker that ended by itself after less time than this failed at something that will not pass at once.
_SHORT_LIFE = 10.0
_LOOK = 0.2
#: Seconds after which a worker that was told to stop is told again.
_PATIENCE = 1.0
#: Elsewhere a forked process may not use the system's libraries.
_START = "fork" if sys.platform == "linux" else "spawn"


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """SIGTERM and SIGINT, which PM2 sends, become the wish to stop."""
    before = {number: signal.signal(number, stop.wish) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_crew(work: Callable[[Stop, Callable[[], bool]], None], count: int, stop: Stop) -> None:
    """`count` processes that run `work(stop, go_on)`, until `stop`; each finishes what it has in hand.

    `go_on` says no in a process whose parent is gone.
    """
    context: Any = multiprocessing.get_context(_START)
    crew = [_Place(lambda: context.Process(target=_run, args=(work, os.getpid()))) for _ in range(count)]
    try:
        while not stop.wished:
            for place in crew:
                place.fill()
            stop.wait(_LOOK)
    finally:
        for place in crew:
            place.clear()
        for place in crew:
            place.join()


def _run(work: Callable[[Stop, Callable[[], bool]], None], parent: int) -> None:
    stop = Stop()
    with stopping_on_signals(stop):
        work(stop, lambda: os.getppid() == parent)


class _Place:
    """One place in the crew, and the process that fills it."""

    def __init__(self, make: Callable[[], BaseProcess]) -> None:
        self._make = make
        self._process: BaseProcess | None = None
        self._started = 0.0
        self._failures = 0
        self._not_before = 0.0

    def fill(self) -> None:
        now = time.monotonic()
        if self._process and not self._process.is_alive():
            by_itself = (self._process.exitcode or 0) >= 0
            self._failed(now, self._failures + 1 if by_itself and now - self._started < _SHORT_LIFE else 1)
            facts = {"worker": self._process.pid, "status": self._process.exitcode}
            logger.error("a worker died; another takes its place", extra={"facts": facts})
            self._process = None
        if self._process is None and now >= self._not_before:
            self._begin(now)

    def _begin(self, now: float) -> None:
        process = self._make()
        try:
            process.start()
        except OSError as error:
            # The system has no process or no memory left for it, just now.
            self._failed(now, self._failures + 1)
            logger.error("no worker could be started; another try follows", extra={"facts": {"reason": str(error)}})
        else:
            self._started, self._process = now, process

    def _failed(self, now: float, times: int) -> None:
        self._failures = times
        self._not_before = now + back_off(times)

    def clear(self) -> None:
        if self._process and self._process.is_alive():
            self._process.terminate()

    def join(self) -> None:
        # Until it has taken over from its parent's a worker passes over signals: it is told again and again.
        while self._process and self._process.is_alive():
            self._process.terminate()
            self._process.join(_PATIENCE)
