"""SnapStart: one start of a function is kept as a snapshot, and many instances wake up from it, perhaps weeks later."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib import import_module


def after_restore(connect: Callable[[], None]) -> None:
    """Let `connect` run in every instance that wakes up: what connections and credentials it finds are old."""
    try:
        # Lambda's own Python has it; a laptop has not, and no snapshots either.
        hooks = import_module("snapshot_restore_py")
    except ModuleNotFoundError:
        return

    def wake_up() -> None:
        # All instances would else wait the same random times between their retries.
        random.seed()
        connect()

    hooks.register_after_restore(wake_up)
