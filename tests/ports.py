"""Who listens where, read from /proc: nothing that a test starts may be reached from the network."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

_PROC = Path("/proc")
_LISTEN = "0A"


@dataclass(frozen=True)
class Listener:
    """One socket that listens; `inode` says which, in the tables and among the descriptors of processes."""

    inode: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        address = ip_address(self.host)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def can_be_read() -> bool:
    return (_PROC / "net" / "tcp").exists()


def listeners() -> list[Listener]:
    """All of this network namespace, whoever listens."""
    tables = ((_PROC / "net" / "tcp", socket.AF_INET), (_PROC / "net" / "tcp6", socket.AF_INET6))
    return [found for path, family in tables if path.exists() for found in _table(path, family)]


def _table(path: Path, family: socket.AddressFamily) -> Iterator[Listener]:
    for line in path.read_text().splitlines()[1:]:
        _, local, _, state, *_, inode = line.split()[:10]
        if state == _LISTEN:
            host, port = local.split(":")
            # Each group of four bytes is a number of the machine, and all that we run on are little-endian.
            raw = b"".join(bytes.fromhex(host[start : start + 8])[::-1] for start in range(0, len(host), 8))
            yield Listener(inode, socket.inet_ntop(family, raw), int(port, 16))


def listening(*pids: int) -> set[tuple[str, int]]:
    """The addresses on which these processes listen."""
    sockets = {one for pid in pids for one in _sockets(pid)}
    return {(found.host, found.port) for found in listeners() if found.inode in sockets}


def descendants(pid: int) -> list[int]:
    """`pid`, and all processes that it and they have started and not let go."""
    found = [pid]
    for parent in found:
        for task in _entries(_PROC / str(parent) / "task"):
            found += map(int, _text(task / "children").split())
    return found


def open_to_the_network(known: Collection[str], marks: Collection[str]) -> list[str]:
    """Listeners beyond the loopback interface of our processes: descendants, and daemons that a mark is a word of.

    `known`: inodes that do not count, being older. A mark is looked for in a process's arguments and environment.
    """
    suspects = [found for found in listeners() if not found.is_loopback and found.inode not in known]
    if not suspects:
        return []
    ours = {pid: _sockets(pid) for pid in _ours(marks)}
    return [
        f"{found.host}:{found.port} by process {pid}: {_words(pid, 'cmdline')[:200]}"
        for found in suspects
        for pid, sockets in ours.items()
        if found.inode in sockets
    ]


def _ours(marks: Collection[str]) -> set[int]:
    pids = (int(path.name) for path in _PROC.iterdir() if path.name.isdecimal())
    told = {pid: _words(pid, "cmdline") + _words(pid, "environ") for pid in pids}
    return {pid for pid, text in told.items() if any(mark in text for mark in marks)} | set(descendants(os.getpid()))


def _sockets(pid: int) -> set[str]:
    found = set()
    for link in _entries(_PROC / str(pid) / "fd"):
        try:
            target = os.readlink(link)
        except OSError:
            continue  # closed in between
        if target.startswith("socket:["):
            found.add(target.removeprefix("socket:[").removesuffix("]"))
    return found


def _words(pid: int, name: str) -> str:
    return _text(_PROC / str(pid) / name).replace("\0", " ")


def _text(path: Path) -> str:
    """Nothing where the process has ended, or is somebody else's."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
