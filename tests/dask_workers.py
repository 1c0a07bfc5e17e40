"""The worker processes of a program that lets Dask share out its work."""

from __future__ import annotations

import psutil  # type: ignore[import-untyped]


def workers_of(pid: int) -> list[psutil.Process]:
    """Children of the program in which a worker of Dask's is at home; none where the program has ended."""
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []
