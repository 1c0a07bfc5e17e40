"""How much may be decoded at one time on one machine, whatever processes and runs share it.

Half of the memory is parted into slots, each of them a file that is locked for as long as it is taken. A process that
is killed gives its slots back, because the system takes its locks away. An image that needs all of them runs alone.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from bulk.compress.spool import SpoolError
from bulk.memory_gate import BYTES_PER_PIXEL, machine_memory

_SLOTS = 32
_PAUSE = 0.02


class SlotGate:
    """Lets images be decoded side by side, across processes, while their pixels fit into `memory` bytes."""

    def __init__(self, folder: Path, memory: int) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SpoolError(f"{folder} cannot be made: {error.strerror}") from error
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            raise SpoolError(f"{folder} belongs to somebody else, and would be ours")
        self._folder = folder
        self._slot_bytes = max(1, memory // _SLOTS)

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Hold the slots that `pixels` need for the length of the block; waits until they are free."""
        needed = min(_SLOTS, -(-pixels * BYTES_PER_PIXEL // self._slot_bytes))
        with ExitStack() as held:
            with ExitStack() as turn:
                # One at a time collects slots: two that each had half of what they need would wait for ever, and a
                # large image would never see all slots free while small ones pass it.
                self._wait_for(["turn"], 1, turn)
                self._wait_for([f"slot-{number:02}" for number in range(_SLOTS)], needed, held)
            yield

    def _wait_for(self, names: list[str], needed: int, held: ExitStack) -> None:
        left = list(names)
        while True:
            for name in list(left):
                if needed and self._lock(name, held):
                    left.remove(name)
                    needed -= 1
            if not needed:
                return
            time.sleep(_PAUSE)

    def _lock(self, name: str, held: ExitStack) -> bool:
        file = (self._folder / name).open("ab")
        try:
            _lock_at_once(file)
        except OSError:
            file.close()
            return False
        # Closing it is what unlocks it.
        held.callback(file.close)
        return True


def machine_gate() -> SlotGate:
    """The gate of this machine: half of its memory, for all runs of this user."""
    user = os.getuid() if hasattr(os, "getuid") else ""
    return SlotGate(Path(tempfile.gettempdir()) / f"image-pipeline-memory-{user}", machine_memory() // 2)


if os.name == "nt":
    import msvcrt

    def _lock_at_once(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

else:
    import fcntl

    def _lock_at_once(file: IO[bytes]) -> None:
        """OSError where somebody else, in this process or another, has it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
