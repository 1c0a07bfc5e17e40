"""Ctrl-C and SIGTERM around worker processes: who is starting or ending these cannot be broken off in the middle."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM take effect when the block has ended, which is to be over in seconds."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, frame: came.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started in the block, or at any time by threads that began in it, never hear of Ctrl-C.

    A terminal sends it to all processes of a program. That program then stops its workers; one that heard it as well
    would end in the middle of an image, or of its imports, with a trace on the screen.
    """
    if not hasattr(signal, "pthread_sigmask"):
        # Windows has none, and no tracker either.
        yield
        return
    from multiprocessing import resource_tracker

    # Where it does not run yet it would be started with the first process, and let Ctrl-C through from then on.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
