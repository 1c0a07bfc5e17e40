"""No test reaches the network: this process may look up and connect to the loopback interface only.

Child processes are kept in by what they inherit (`tests/safe_environment.py`), the browser by its resolver rule.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

_SENDS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_INTERNET = {socket.AF_INET, socket.AF_INET6}


class NetworkBlockedError(Exception):
    """A test tried to leave the machine. Give it a real small fake, or a server on 127.0.0.1."""


def block_network() -> None:
    """From now on and until the process ends: an audit hook cannot be taken out again."""
    sys.addaudithook(_refuse_foreign_hosts)


def _refuse_foreign_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    host = _host_named_in(event, arguments)
    if host is not None and not is_loopback(host):
        raise NetworkBlockedError(f"{event}: {host!r} is not on the loopback interface; tests stay on this machine.")


def _host_named_in(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The host that an audit event of the standard library names before anything is sent to it."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in _SENDS and arguments[0].family in _INTERNET and arguments[1]:
        host = arguments[1][0]
    else:
        return None
    return host.decode() if isinstance(host, bytes) else host


def is_loopback(host: str) -> bool:
    """Names are judged as they stand: a look-up would itself leave the machine. "", 0.0.0.0 and :: are this machine."""
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
