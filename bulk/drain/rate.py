"""At most so many bytes a second, over all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Rate:
    """`take` waits until the bytes are within the rate; None is no limit."""

    def __init__(
        self, bytes_per_second: float | None, *, clock: Callable[[], float], sleep: Callable[[float], object]
    ) -> None:
        self._rate = bytes_per_second
        self._clock, self._sleep = clock, sleep
        self._free_at = clock()
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Wait for as long as the bytes taken before keep the line busy; these then keep it busy in turn."""
        if self._rate is None:
            return
        with self._lock:
            now = self._clock()
            wait = max(0.0, self._free_at - now)
            self._free_at = max(now, self._free_at) + count / self._rate
        if wait:
            self._sleep(wait)
