"""What every worker process of this machine loads when it starts."""

from __future__ import annotations

import signal

from pipeline import freed_memory


def dask_setup(worker: object) -> None:
    """Called by Dask in the worker's main thread, before there is any work."""
    freed_memory.keep()
    # A terminal sends Ctrl-C to all processes of a program, which then stops its workers; a worker that took it would
    # end in the middle of an image, with a trace on the screen.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
