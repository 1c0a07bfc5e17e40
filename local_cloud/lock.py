"""One server for each folder, and no doubt about which process it is.

The server holds a lock on a file for as long as it lives. The operating system lets go of it when the process ends,
however it ends, so a number that kill -9 left in the file is never taken for a living server, and `stop` never signals
a stranger that was given the same number later. The file itself stays: deleting it could let two servers in.
"""

from __future__ import annotations

import fcntl
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

_TRIES, _PAUSE = 20, 0.05


class AlreadyRunningError(Exception):
    """Another server holds this folder."""


@dataclass(frozen=True)
class Running:
    """The server that holds the lock. `started_at` is in seconds since 1970."""

    pid: int
    port: int
    auth: bool
    started_at: float


def hold(path: Path) -> IO[str]:
    """Take the lock. Keep the returned file: closing it gives the lock back. Raises AlreadyRunningError."""
    file = path.open("a+", encoding="utf-8")
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Whoever looks whether it is free holds it for a moment.
            time.sleep(_PAUSE)
        else:
            file.truncate(0)
            return file
    file.close()
    raise AlreadyRunningError(f"{path} is held by another server")


def announce(lock: IO[str], running: Running) -> None:
    """Write who has the lock. Only when the port is bound: from then on, whoever answers there is this server."""
    lock.write(json.dumps(asdict(running)))
    lock.flush()


def holder(path: Path) -> Running | None:
    """The living server, or None; None too while a new one has the lock and no port yet."""
    try:
        with path.open(encoding="utf-8") as file:
            return None if _is_free(file) else Running(**json.loads(file.read()))
    except (FileNotFoundError, ValueError):
        return None


def is_held(path: Path) -> bool:
    """Whether a server has the lock, announced or not."""
    try:
        with path.open(encoding="utf-8") as file:
            return not _is_free(file)
    except FileNotFoundError:
        return False


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
