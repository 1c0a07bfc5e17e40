"""Medians of what took turns: each time is compared with the reference's of the same round, then the middle is taken.

What else a machine does slows neighbours in time alike. It moves their seconds and hardly their ratio, so that the
middle of ratios is steadier than the ratio of middles.
"""

from __future__ import annotations

import statistics
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.peers.programs import Answer
from benchmarks.peers.report import Speed, base_of

Case = TypeVar("Case", bound=Hashable)


def middles(rounds: Mapping[Case, Sequence[float]], base: Case) -> dict[Case, float]:
    """Seconds of every case: the middle of its ratios to `base`, times the middle of `base`. One value a round."""
    middle = statistics.median(rounds[base])
    return {case: middle * _middle_ratio(found, rounds[base]) for case, found in rounds.items()}


def _middle_ratio(found: Sequence[float], base: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(found, base, strict=True))


def speeds(answers: Mapping[str, Mapping[Path, Sequence[Answer]]]) -> dict[str, Speed]:
    """Of every route, summed over files: CPU seconds as `middles` has them, bytes made and bytes read."""
    files = list(next(iter(answers.values())))
    base = base_of(answers)
    cpu = [middles({route: [one.cpu for one in of[file]] for route, of in answers.items()}, base) for file in files]
    read = sum(file.stat().st_size for file in files)
    return {
        route: Speed(
            cpu=sum(middle[route] for middle in cpu),
            made=sum(of[file][0].whole for file in files),
            read=read,
            rounds=len(of[files[0]]),
        )
        for route, of in answers.items()
    }
