"""How much longer one image may be worked on: what is optional is begun only where it will surely end in time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

try:
    import resource
except ImportError:  # Windows has no limits.
    resource = None  # type: ignore[assignment]

#: Of the 10 s of CPU and 20 s by the clock that an image has in all (`isolate.Budget`).
CPU_SECONDS = 8.0
SECONDS = 12.0
#: What a format may take for a megapixel, before it was seen how long it does take here.
_UNKNOWN = 1.0
#: The next one may be harder than those before it: larger, or the machine busier.
_SAFETY = 1.5
#: Below so many pixels it is the beginning that takes the time.
_LEAST_PIXELS = 100_000
#: Kept of the CPU time that the kernel allows, for the placeholder and the answer.
_RESERVE = 1.0


def cpu_left() -> float:
    """Seconds until the kernel ends this process for its CPU time, that of its other threads included."""
    if resource is None:
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_CPU)
    return math.inf if limit == resource.RLIM_INFINITY else limit - time.process_time()


class Allowance:
    """The time of one image, which begins now; `cpu` and `clock` give seconds, `left` those that the kernel leaves."""

    def __init__(
        self,
        *,
        cpu: Callable[[], float] = time.thread_time,
        clock: Callable[[], float] = time.monotonic,
        left: Callable[[], float] = cpu_left,
    ) -> None:
        self._cpu, self._clock, self._left = cpu, clock, left
        self._cpu_end, self._end = cpu() + CPU_SECONDS, clock() + SECONDS
        self._rates: dict[str, float] = {}

    def covers(self, form: str, pixels: int) -> bool:
        """Whether so many pixels can be written in the format `form`, as slowly as it was seen here and slower."""
        seconds = _SAFETY * self._rates.get(form, _UNKNOWN) * max(pixels, _LEAST_PIXELS) / 1e6
        return seconds <= min(self._cpu_end - self._cpu(), self._end - self._clock(), self._left() - _RESERVE)

    @contextmanager
    def learning(self, form: str, pixels: int) -> Iterator[None]:
        """Around the writing of so many pixels: the next one of this format is reckoned by it."""
        begun = self._cpu()
        yield
        rate = (self._cpu() - begun) / max(pixels, _LEAST_PIXELS) * 1e6
        self._rates[form] = max(rate, self._rates.get(form, 0.0))
