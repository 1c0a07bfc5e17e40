"""The account of a run: what is under way, what has ended, and what has another try when all else is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from bulk.drain.allowance import Allowance
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import REMOVED, Outcome
from bulk.drain.results import Result
from bulk.drain.stream import StoppedError
from cli.exits import CommandError, Exit

#: One object, or all versions of one key, the oldest first.
Work = Sequence[Candidate]

_ROUNDS = 3
#: So many objects are kept for another try; of more, the rest waits for another run.
_REMEMBERED = 10_000
#: After so many removals that were denied, and none that was not, no further object is fetched.
_MOST_DENIED = 20
_GLANCE = 0.2


class Receipt:
    """A worker's hold on an object that it has handed over; `newer` are the versions that wait for it."""

    def __init__(self, newer: Work) -> None:
        self.newer = newer
        self.is_put_off = False
        self._signed = threading.Event()

    def sign(self, result: Result) -> None:
        self._result = result
        self._signed.set()

    def wait(self, stop: threading.Event) -> Result:
        while not self._signed.wait(_GLANCE):
            if stop.is_set():
                raise StoppedError
        return self._result


class Rounds:
    """`tell` hears of every object's end once, from any thread but never from two at a time."""

    def __init__(self, allowance: Allowance, tell: Callable[[Result], None]) -> None:
        self._allowance, self._tell = allowance, tell
        self._under_way = 0
        self._changed = threading.Condition()
        self._again: list[Work] = []
        self._number = 0
        self._has_removed = False
        self._denied, self._why = 0, ""

    @property
    def is_first(self) -> bool:
        return self._number == 0

    def begin(self, work: Work) -> None:
        with self._changed:
            self._under_way += len(work)

    def finish(self, stop: threading.Event) -> None:
        """Wait until nothing is under way."""
        with self._changed:
            while self._under_way and not stop.is_set():
                self._changed.wait(_GLANCE)

    def next(self) -> list[Work]:
        """What the next round is about; nothing after the last one."""
        self._number += 1
        works, self._again = self._again, []
        return works

    def end(self, result: Result, receipt: Receipt) -> None:
        """Take down how it ended."""
        is_removed = result.outcome in REMOVED
        self._allowance.settle(is_used=is_removed)
        with self._changed:
            receipt.is_put_off = result.again and self._number < _ROUNDS - 1 and len(self._again) < _REMEMBERED
            if receipt.is_put_off:
                self._again.append([result.candidate, *receipt.newer])
                self._under_way -= len(receipt.newer)
            else:
                self._tell(result)
            self._has_removed |= is_removed
            if result.is_denied:
                self._denied += 1
                self._why = self._why or f"{result.candidate.key}: {result.reason}"
            self._under_way -= 1
            self._changed.notify_all()
        receipt.sign(result)

    def require_removals(self, *, least: int = _MOST_DENIED) -> None:
        """CommandError where S3 has denied at least so many removals, and all that there were."""
        if self._denied >= least and not self._has_removed:
            raise CommandError(self._why, Exit.REFUSED)

    def leave(self, work: Work, reason: str) -> None:
        """Take down what is not begun at all."""
        with self._changed:
            for candidate in work:
                self._tell(Result(candidate, Outcome.LEFT, candidate.size, reason))
            self._under_way -= len(work)
            self._changed.notify_all()
