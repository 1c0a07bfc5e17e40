"""Workers of the image service as processes: told to stop at any moment, they stop."""

from __future__ import annotations

import random
import threading
import time

import pytest

from imageservice.ports.workers.crew import run_crew
from imageservice.ports.workers.worker import Stop


def wait_for_the_end(stop, go_on):
    while not stop.wished and go_on():
        stop.wait(0.05)


@pytest.mark.parametrize("seed", range(5))
def test_a_crew_that_is_told_to_stop_while_its_workers_begin_stops(seed):
    stop = Stop()
    threading.Timer(random.Random(seed).uniform(0, 0.03), stop.wish, (15, None)).start()
    began = time.monotonic()

    run_crew(wait_for_the_end, 16, stop)

    assert time.monotonic() - began < 30
