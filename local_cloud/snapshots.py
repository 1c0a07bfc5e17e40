"""Keeps what the emulator holds in memory on disk, so that kill -9 loses the last seconds and not everything.

A snapshot is a numbered folder with one file for each service. It is written aside and then renamed, which happens as
a whole or not at all: a queue of one moment is never restored beside a table of another, where a message would be gone
and its record not yet there. This is proof against the death of the process; a power cut may cost more.

Snapshots are taken in the event loop. A thread would copy what requests are changing, and would race the last snapshot
at shutdown.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

#: Writes the state of every service into the given folder; raises SnapshotError when one cannot be had.
Save = Callable[[Path], None]

#: At least this many seconds between two snapshots …
PAUSE = 2.0
#: … and at least this many times the time that the last one took: saving costs a tenth of the server at most.
PAUSE_FACTOR = 10

logger = logging.getLogger("local_cloud")


class SnapshotError(Exception):
    """This snapshot is incomplete and has been thrown away; the one before it stands."""


class LoadError(Exception):
    """This file of a snapshot cannot be taken back. Whoever goes on without it loses what it holds."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} cannot be taken back")


def newest(folder: Path) -> Path | None:
    """The last finished snapshot."""
    return max((path for path in folder.glob("*") if path.name.isdecimal()), default=None)


def take(folder: Path, save: Save) -> Path:
    """Write one snapshot and drop the one before it. Raises SnapshotError and then leaves things as they were."""
    previous = newest(folder)
    aside = folder / "unfinished"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        save(aside)
        _take_over(previous, aside)
        finished = folder / f"{int(previous.name) + 1 if previous else 1:012d}"
        aside.rename(finished)
    except OSError as error:
        raise SnapshotError(f"the snapshot could not be written to {folder}: {error}") from error
    if previous:
        shutil.rmtree(previous, ignore_errors=True)
    return finished


def _take_over(previous: Path | None, aside: Path) -> None:
    """What a service saved before must not be lost where it can neither be imported nor encoded this time."""
    for old in previous.iterdir() if previous else ():
        if not (aside / old.name).exists():
            os.link(old, aside / old.name)


class Snapshots:
    """Takes snapshots while the server runs. Call `changed()` after each write; nothing is written when nothing was."""

    def __init__(
        self,
        folder: Path,
        save: Save,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder = folder
        self._save = save
        self._clock = clock
        self._sleep = sleep
        self._pause = PAUSE
        self._dirty = asyncio.Event()

    def changed(self) -> None:
        self._dirty.set()

    async def run(self) -> None:
        """Wait for a change, let the pause pass, save; until cancelled."""
        while True:
            await self._dirty.wait()
            await self._sleep(self._pause)
            self._dirty.clear()
            self._take_one()

    def _take_one(self) -> None:
        began = self._clock()
        try:
            take(self._folder, self._save)
        except SnapshotError as error:
            logger.warning("%s; trying again", error)
            self._dirty.set()
        except Exception:
            # Whatever it is: a task that ends here would save nothing any more, and nobody would know.
            logger.exception("a snapshot failed; trying again")
            self._dirty.set()
        self._pause = max(PAUSE, PAUSE_FACTOR * (self._clock() - began))
