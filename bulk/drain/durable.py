"""Which folders' own names survive a power cut, so that they need no further fsync."""

from __future__ import annotations

import threading
from collections.abc import Callable

#: When there are more, some folders are made durable once more.
_REMEMBERED = 100_000

Folder = tuple[str, ...]


class DurableFolders:
    """Workers make folders while one thread makes them durable; one that is made anew is forgotten before that."""

    def __init__(self) -> None:
        self._is_durable: dict[Folder, bool] = {}
        self._lock = threading.Lock()

    def __contains__(self, folder: Folder) -> bool:
        with self._lock:
            return self._is_durable.get(folder, False)

    def ensure(self, folder: Folder, sync: Callable[[], None]) -> None:
        """Call `sync`, and remember the folder unless it is forgotten meanwhile: then that was an older one's name."""
        with self._lock:
            if len(self._is_durable) >= _REMEMBERED:
                self._is_durable.clear()
            self._is_durable[folder] = False
        sync()
        with self._lock:
            if folder in self._is_durable:
                self._is_durable[folder] = True

    def forget(self, folder: Folder) -> None:
        with self._lock:
            self._is_durable.pop(folder, None)
