"""Where the local cloud is reached: always the loopback interface, never a name that others could answer for."""

from __future__ import annotations

HOST = "127.0.0.1"


def endpoint_url(port: int) -> str:
    """The address for `endpoint_url=` of a client and for a browser."""
    return f"http://{HOST}:{port}"
