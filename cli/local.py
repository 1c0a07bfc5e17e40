"""The local cloud as commands see it: an address, whether it answers, and how a root command starts it."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable

from cli.exits import CommandError, Exit
from pipeline.settings import ROOT

REGION = "us-east-1"
ACCOUNT = "000000000000"
#: The loopback interface, never a name that others could answer for.
HOST = "127.0.0.1"
START = "python -m local_cloud start"
_PROBE_TIMEOUT = 5
#: A local cloud that loads much, or is busy, has its port open and answers later.
_PATIENCE = 60

#: Makes sure of the local cloud on a port; the second argument starts it, where the command may.
Reach = Callable[[int, Callable[[], None] | None], None]


def endpoint(port: int) -> str:
    return f"http://{HOST}:{port}"


def start_local_cloud() -> None:
    """Start it and wait until it answers; its own words go to stderr, so that stdout stays the command's."""
    if os.name == "nt":
        raise CommandError("the local cloud needs Linux, macOS or WSL: run this there, or add --aws", Exit.REFUSED)
    ended = subprocess.run([sys.executable, "-m", "local_cloud", "start"], cwd=ROOT, stdout=sys.stderr, check=False)
    if ended.returncode:
        raise CommandError(f"the local cloud did not start: see above, or `{START}`", Exit.REFUSED)


def ensure_running(port: int, start: Callable[[], None] | None, *, patience: float = _PATIENCE) -> None:
    """Return when the local cloud answers on `port`. A closed port is opened by `start`, where there is one."""
    if is_closed(port):
        if start is None:
            raise CommandError(f"the local cloud is not running on {endpoint(port)}: {START}", Exit.REFUSED)
        start()
    try:
        if _is_healthy(port, patience):
            return
    except TimeoutError as error:
        text = (
            f"port {port} is taken, and has not answered for {patience:g} s: `python -m local_cloud status` says "
            "whether by the local cloud. If so, wait; if not, stop that program, or set LOCAL_CLOUD_PORT"
        )
        raise CommandError(text, Exit.REFUSED) from error
    text = f"port {port} is taken by a program that is not the local cloud: stop it, or set LOCAL_CLOUD_PORT"
    raise CommandError(text, Exit.REFUSED)


def is_closed(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(_PROBE_TIMEOUT)
        return probe.connect_ex((HOST, port)) != 0


def _is_healthy(port: int, patience: float) -> bool:
    """Whether it answers as the local cloud does. Raises TimeoutError."""
    connection = http.client.HTTPConnection(HOST, port, timeout=patience)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.client.OK
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
