"""A backlog of a million messages through everything between a message and its end, with simulated time."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest

from tests.torture.backlog import Backlog
from tests.torture.memory import FLAT, Memory
from tests.torture.results import Results

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]

#: After so many deliveries the memory is looked at.
LOOK = 10_000


def test_a_million_messages_that_wait_are_worked_off_in_memory_that_stays_flat(full_torture, results: Results):
    messages, keys = (1_000_000, 20_000) if full_torture else (12_000, 400)
    backlog, memory = Backlog(6, messages, keys), Memory()
    backlog.fill()
    started = time.monotonic()

    backlog.work(lambda deliveries: memory.see(os.getpid()) if deliveries % LOOK == 0 else None)

    assert backlog.wrongs() == []
    assert memory.growth() <= FLAT or not full_torture
    results.say(
        seed=6,
        messages=messages,
        keys=keys,
        simulated=str(timedelta(seconds=round(backlog.now))),
        deliveries_each_second=round(backlog.ends["deliveries"] / (time.monotonic() - started)),
        memory=memory.figures(),
        lost=0,
        wrong=0,
        **backlog.ends,
    )
