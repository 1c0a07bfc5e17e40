"""The end of a log file, and what is added to it."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

POLL = 0.2


def last_lines(path: Path, count: int) -> list[str]:
    """The last `count` lines, without their line ends."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, maxlen=count)]


def follow(path: Path, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """What is written to the file from now on, for ever; the file may be replaced by a new one."""
    file = path.open(encoding="utf-8", errors="replace")
    file.seek(0, os.SEEK_END)
    while True:
        if text := file.read():
            yield text
        elif _was_replaced(path, file.fileno()):
            file.close()
            file = path.open(encoding="utf-8", errors="replace")
        else:
            sleep(POLL)


def _was_replaced(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino != os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False  # between the two steps of a rotation
