"""What every worker process of this machine loads when it starts: Ctrl-C is for the program, which stops its workers.

A terminal sends Ctrl-C to all processes of a program; a worker that took it would end in the middle of an image, with a
trace on the screen.
"""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Called by Dask in the worker's main thread, before there is any work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
