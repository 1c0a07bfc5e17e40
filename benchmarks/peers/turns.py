"""Rounds over one kind of files, at each of which the routes take turns."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers.cases import CASES
from benchmarks.peers.programs import Answer, Program, routes_for

#: A kind of files is not done once more after so long, if it was done twice. Ratios of seven rounds moved by 1 to 2 %
#: from one stretch of a quiet machine to another, of three by 4 to 6 %.
CASE_SECONDS = 150
#: Three rounds or more of files that are done in a moment go on for so long, however few were asked for.
LEAST_SECONDS = 60


class Turns:
    """`answers`: of every route that has a way of its own with these files, for every file, one for each round."""

    def __init__(self, name: str, routes: Sequence[str]) -> None:
        self.name = name
        self._files = CASES[name].files(name)
        self._routes = routes_for(CASES[name].format, list(routes))
        self.answers: dict[str, dict[Path, list[Answer]]] = {
            route: {file: [] for file in self._files} for route in self._routes
        }
        self._rounds, self._seconds = 0, 0.0

    def take(self, programs: Mapping[str, Program]) -> None:
        """One round."""
        largest = max(self._files, key=lambda file: file.stat().st_size)
        for route in self._routes:
            # The first time loads libraries, and takes memory that is kept.
            programs[route].ask(largest)
        begun = time.monotonic()
        for file in self._files:
            for route in self._routes:
                self.answers[route][file].append(programs[route].ask(file))
        self._rounds += 1
        self._seconds += time.monotonic() - begun
        print(f"{self.name}: done {self._rounds} times", file=sys.stderr)

    def is_enough(self, repeat: int) -> bool:
        """Whether there were so many rounds, or as many as there is time for."""
        if self._rounds < repeat:
            return self._rounds >= 2 and self._seconds > CASE_SECONDS
        return repeat < 3 or self._seconds > LEAST_SECONDS
