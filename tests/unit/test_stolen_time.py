"""Benchmarks on a machine that shares its host: what was measured while the host took much is measured again."""

from __future__ import annotations

import os
from itertools import accumulate

import pytest

from benchmarks.peers.stolen import TRIES, least_stolen, seconds_taken


def test_a_try_in_which_nothing_was_taken_is_the_only_one():
    assert _measured(taken=[0.0]) == (1, 1)


def test_a_try_that_the_host_disturbed_is_done_again():
    assert _measured(taken=[3600, 0.0]) == (2, 2)


def test_of_tries_that_were_all_disturbed_the_least_disturbed_counts():
    assert _measured(taken=[3600, 7200, 36, 3600, 7200]) == (3, TRIES)


def test_what_was_taken_is_told_of_the_cores_in_question(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu 9 9 9 9 9 9 9 900 0 0\ncpu0 1 1 1 1 1 1 1 100 0 0\ncpu1 1 1 1 1 1 1 1 300 0 0\nintr 5 5\n")

    tick = 1 / os.sysconf("SC_CLK_TCK")
    assert seconds_taken({1}, stat) == pytest.approx(300 * tick)
    assert seconds_taken({0, 1}, stat) == pytest.approx(400 * tick)


def test_a_system_that_does_not_tell_had_nothing_taken(tmp_path):
    assert seconds_taken({0}, tmp_path / "stat") == 0


def _measured(taken: list[float]) -> tuple[int, int]:
    """Which try counted, and how many there were, where the host took so many seconds in each."""
    clock = iter([0.0, *(each for sum_ in accumulate(taken) for each in (sum_, sum_))])
    tries: list[int] = []

    def measure() -> int:
        tries.append(len(tries) + 1)
        return tries[-1]

    return least_stolen(measure, lambda: next(clock)), len(tries)
