"""Waiting: a predicate, a deadline, and a clock and a sleep that tests bring their own of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from cli.exits import CommandError, Exit

T = TypeVar("T")

#: Seconds that AWS needs at most, in our experience, until a fresh role, policy or function is known everywhere.
DEADLINE = 120.0
PAUSE = 1.0


def until(
    predicate: Callable[[], T | None],
    *,
    what: str,
    deadline: float = DEADLINE,
    pause: float = PAUSE,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """The first true answer of `predicate`, asked every `pause` seconds; CommandError after `deadline` seconds."""
    end = clock() + deadline
    while True:
        answer = predicate()
        if answer:
            return answer
        if clock() >= end:
            raise CommandError(f"gave up after {deadline:.0f} s: {what}. Run the same command again", Exit.REFUSED)
        sleep(pause)


def settled(
    call: Callable[[], T],
    *,
    not_yet: Callable[[Exception], bool],
    deadline: float = DEADLINE,
    pause: float = PAUSE,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """`call`, repeated while it raises what `not_yet` knows to pass; any other error, and the last one, is raised."""
    end = clock() + deadline
    while True:
        try:
            return call()
        except Exception as error:
            if clock() >= end or not not_yet(error):
                raise
        sleep(pause)
