"""What every worker process of this machine loads when it starts."""

from __future__ import annotations

from pipeline import freed_memory


def dask_setup(worker: object) -> None:
    """Called by Dask in the worker's main thread, before there is any work."""
    freed_memory.keep()
