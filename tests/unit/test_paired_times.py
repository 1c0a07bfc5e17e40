"""Times of benchmarks that took turns: what slows a whole round moves no ratio."""

from __future__ import annotations

import pytest

from benchmarks.peers.paired import middles, speeds
from benchmarks.peers.programs import Answer
from benchmarks.peers.report import base_of


def test_a_machine_that_is_slower_for_some_rounds_moves_no_ratio():
    slower = [1.0, 1.0, 3.0, 2.0, 1.5]
    rounds = {"ours": [0.5 * by for by in slower], "sharp": [1.0 * by for by in slower]}

    found = middles(rounds, "sharp")

    assert found["sharp"] / found["ours"] == pytest.approx(2)


def test_one_disturbed_time_is_no_matter():
    rounds = {"ours": [0.5, 9.0, 0.5], "sharp": [1.0, 1.0, 1.0]}

    assert middles(rounds, "sharp") == {"ours": pytest.approx(0.5), "sharp": 1.0}


def test_seconds_and_bytes_are_of_all_files(tmp_path):
    files = [tmp_path / name for name in ("a.jpg", "b.jpg")]
    for file in files:
        file.write_bytes(b"12345")

    found = speeds({route: {file: [_answer(cpu), _answer(cpu)] for file in files} for route, cpu in _CPU.items()})

    assert found["ours"].cpu / found["sharp"].cpu == pytest.approx(0.5)
    assert (found["ours"].made, found["ours"].read) == (6, 10)


def test_where_sharp_cannot_run_the_first_route_is_what_others_are_compared_with():
    assert base_of(["ours", "naive Pillow"]) == "ours"
    assert base_of(["ours", "sharp"]) == "sharp"


_CPU = {"ours": 1.0, "sharp": 2.0}


def _answer(cpu: float) -> Answer:
    return Answer(cpu=cpu, wall=cpu, peak=1, small=1, whole=3)
