"""A backlog of a million messages through everything between a message and its end, with simulated time."""

from __future__ import annotations

import os
import statistics
import time
from datetime import timedelta

import pytest

from tests.torture.backlog import Backlog
from tests.torture.results import Results
from tests.torture.soak.samples import rss

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]

#: The resident memory after a tenth of the messages and at the end differ by no more.
FLAT = 0.05


def test_a_million_messages_that_wait_are_worked_off_in_memory_that_stays_flat(full_torture, results: Results):
    messages, keys = (1_000_000, 20_000) if full_torture else (12_000, 400)
    backlog, memory = Backlog(6, messages, keys), Memory()
    backlog.fill()
    started = time.monotonic()

    backlog.work(memory.look)

    assert backlog.wrongs() == []
    growth = memory.growth()
    assert growth <= FLAT or not full_torture
    results.say(
        seed=6,
        messages=messages,
        keys=keys,
        simulated=str(timedelta(seconds=round(backlog.now))),
        deliveries_each_second=round(backlog.ends["deliveries"] / (time.monotonic() - started)),
        megabytes=round(memory.middle() / 1000),
        memory_growth_after_warm_up_percent=round(100 * growth, 1),
        lost=0,
        wrong=0,
        **backlog.ends,
    )


class Memory:
    """The resident memory of this process, looked at now and then."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self._looks = 0

    def look(self, left: int) -> None:
        self._looks += 1
        if self._looks % 10_000 == 0:
            self.seen.append(rss(os.getpid()))

    def middle(self) -> float:
        return statistics.median(self.seen or [0.0])

    def growth(self) -> float:
        """From after the warm-up, a tenth of the way, to the highest at the end, as a share."""
        warm = self.seen[len(self.seen) // 10 :]
        return max(warm[-3:]) / warm[0] - 1 if warm else 0.0
