"""Workers of the image service as processes: told to stop at any moment, they stop."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import sys
import threading
import time
from functools import partial

import pytest

from imageservice.ports.workers.crew import run_crew
from imageservice.ports.workers.worker import Stop
from tests.waiting import eventually


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


def forks_that_fail(monkeypatch, *errors):
    """The next forks raise these, None for one that works; all later ones work."""
    fork, left = os.fork, list(errors)

    def try_to_fork():
        error = left.pop(0) if left else None
        if error:
            raise error
        return fork()

    monkeypatch.setattr(os, "fork", try_to_fork)


def say(folder, stop, go_on):
    (folder / str(os.getpid())).touch()
    wait_for_the_end(stop, go_on)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_a_worker_that_cannot_be_started_now_is_started_later(monkeypatch, tmp_path, caplog):
    stop = Stop()
    forks_that_fail(monkeypatch, None, BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"))

    def stop_once_both_work():
        try:
            eventually(lambda: len(list(tmp_path.iterdir())) == 2)
        finally:
            stop.wish()

    threading.Thread(target=stop_once_both_work).start()
    run_crew(partial(say, tmp_path), 2, stop)

    assert len(list(tmp_path.iterdir())) == 2 and not multiprocessing.active_children()
    [told] = [record for record in caplog.records if "could be started" in record.message]
    assert "temporarily unavailable" in told.__dict__["facts"]["reason"]


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_no_worker_outlives_a_crew_that_ends_by_a_fault(monkeypatch):
    forks_that_fail(monkeypatch, None, RuntimeError("as told"))

    with pytest.raises(RuntimeError, match="as told"):
        run_crew(wait_for_the_end, 2, Stop())

    assert not multiprocessing.active_children()
