"""The processes in which the local cloud runs functions: which there are, which one holds a connection, and their end.

Only children of one's own local cloud are ever named here.
"""

from __future__ import annotations

from contextlib import suppress

import psutil  # type: ignore[import-untyped]

from local_cloud.lock import holder
from tests.local_cloud_fixture import LocalCloud


def function_processes(cloud: LocalCloud) -> list[int]:
    """The ids of the processes that the server of `cloud` has started and that run now."""
    running = holder(cloud.home / ".local_cloud" / "server.lock")
    if not running:
        return []
    with suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(running.pid).children()]
    return []


def process_behind(cloud: LocalCloud, ports: tuple[int, int]) -> int | None:
    """The function's process at the near end of the connection from one local port to another."""
    return next((pid for pid in function_processes(cloud) if _holds(pid, ports)), None)


def _holds(pid: int, ports: tuple[int, int]) -> bool:
    # Both ends: a process may have the same port for other connections, and the kernel keeps those that have ended.
    with suppress(psutil.NoSuchProcess):
        connections = psutil.Process(pid).net_connections("tcp4")
        return any(one.raddr and (one.laddr.port, one.raddr.port) == ports for one in connections)
    return False


def kill(cloud: LocalCloud, pid: int) -> bool:
    """kill -9, if it still is a process of `cloud`."""
    if pid not in function_processes(cloud):
        return False
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()
    return True
