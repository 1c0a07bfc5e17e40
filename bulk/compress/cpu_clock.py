"""How long one image may keep a worker's processor busy: a decoder that comes to no end is ended with its process.

The kernel counts and ends, also in the middle of C code that lets nothing else of the process have a turn.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TypeVar

#: Of CPU time: a PNG of 100 megapixels, the slowest lawful image, is given up by its packer after 60 s, on one core.
MOST_SECONDS = 300.0

T = TypeVar("T")


def in_time(work: Callable[..., T], seconds: float, *arguments: object) -> T:
    """What `work` returns, in a worker that does one thing at a time; its process ends when it takes longer."""
    if not hasattr(signal, "setitimer"):
        # Windows has none.
        return work(*arguments)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return work(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
