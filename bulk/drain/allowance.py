"""How many objects may be removed."""

from __future__ import annotations

import threading

from bulk.drain.stream import StoppedError

_GLANCE = 0.2


class Allowance:
    """At most so many removals. `take` waits while those under way may still use the last of it."""

    def __init__(self, limit: int | None) -> None:
        self._limit, self._used, self._under_way = limit, 0, 0
        self._changed = threading.Condition()

    def take(self, stop: threading.Event) -> bool:
        """StoppedError where the run is to stop: those under way may never settle then."""
        with self._changed:
            while self._limit is not None and self._used + self._under_way >= self._limit:
                if self._used >= self._limit:
                    return False
                if stop.is_set():
                    raise StoppedError
                self._changed.wait(_GLANCE)
            self._under_way += 1
            return True

    def settle(self, *, is_used: bool) -> None:
        with self._changed:
            self._under_way -= 1
            self._used += is_used
            self._changed.notify_all()

    @property
    def is_used_up(self) -> bool:
        return self._limit is not None and self._used >= self._limit
