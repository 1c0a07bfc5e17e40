"""How many pixels may be decoded at one time: what keeps several images in one function within its memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

#: Pixels that may be decoded at one time in one process; a larger image is decoded alone.
PIXELS_IN_FLIGHT = 64_000_000


class Budget(Protocol):
    """What a decode has to wait for."""

    def take(self, pixels: int) -> AbstractContextManager[None]:
        """Hold `pixels` for the length of the block; waits until they are free."""


class PixelBudget:
    """Lets threads decode side by side while their pixels fit; one that is larger than everything goes alone."""

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Hold `pixels` for the length of the block; waits until they are free."""
        wanted = min(pixels, self._pixels)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + wanted <= self._pixels)
            self._taken += wanted
        try:
            yield
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()
