"""The end of a log file, and what is added to it."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

POLL = 0.2


def tail(path: Path, lines: int, *, following: bool, sleep: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """The last `lines` lines and, when following, all that is written after them, for ever; line ends are kept.

    The file may be moved away and begun anew while it is followed.
    """
    file = _open(path)
    try:
        yield from deque(file, maxlen=lines)
        while following:
            if text := file.read():
                yield text
            elif _was_replaced(path, file):
                file.close()
                file = _open(path)
            else:
                sleep(POLL)
    finally:
        file.close()


def _open(path: Path) -> IO[str]:
    return path.open(encoding="utf-8", errors="replace")


def _was_replaced(path: Path, file: IO[str]) -> bool:
    try:
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False  # between the two steps of a rotation
