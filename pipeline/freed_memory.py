"""What this process does with the memory that an image leaves free: it keeps it for the next one.

The C library gives large blocks back to the system at once, which has to clear every page of them before it can give
them out again: a quarter of the CPU time of a JPEG (docs/decisions/freed-memory.md).
"""

from __future__ import annotations

import sys

#: Bytes: what an image of 24 megapixels on its side needs; what is free beyond them goes back to the system.
KEPT = 256 << 20
#: Bytes. Larger blocks than this, the most that glibc allows, are the system's in any case; Pillow's have 16 MB.
_LARGEST_KEPT_BLOCK = 32 << 20
#: Parameters of glibc's `mallopt`, by its header malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def keep() -> None:
    """Once, before threads are started, by a process that works on one image after another.

    Does nothing where the C library is not glibc. A process that works on one image only has nothing from it.
    """
    if sys.platform != "linux":
        return
    # What a child that decodes a single image shall not have to import.
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_TRIM_THRESHOLD, KEPT)
    mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BLOCK)
    # Each thread's own memory would be kept for that thread, and given back by other rules.
    mallopt(_ARENA_MAX, 1)
