"""The processes in which the local cloud runs functions: which there are, which one holds a connection, and their end.

Only children of one's own local cloud are ever named here.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from local_cloud.lock import holder
from tests.local_cloud_fixture import LocalCloud

_LOOKS = 10


def function_processes(cloud: LocalCloud) -> list[int]:
    """The ids of the processes that the server of `cloud` has started and that run now."""
    running = holder(cloud.home / ".local_cloud" / "server.lock")
    return _children(running.pid) if running else []


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def process_behind(cloud: LocalCloud, port: int) -> int | None:
    """The function's process whose connection comes from the local `port`."""
    # The kernel lists children one by one while others come and go, and may leave one out.
    return next((pid for _ in range(_LOOKS) if (pid := _seen_behind(cloud, port))), None)


def _seen_behind(cloud: LocalCloud, port: int) -> int | None:
    inode = _socket_of(port)
    for pid in function_processes(cloud) if inode else ():
        with suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    if os.readlink(descriptor) == f"socket:[{inode}]":
                        return pid
    return None


def _socket_of(port: int) -> str | None:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}"):
            return fields[9]
    return None


def kill(cloud: LocalCloud, pid: int) -> bool:
    """kill -9, if it still is a process of `cloud`."""
    if not any(pid in function_processes(cloud) for _ in range(_LOOKS)):
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True
