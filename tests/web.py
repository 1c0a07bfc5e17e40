"""A web server on this machine's loopback: pages to fetch, and a place that takes postbacks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Posted:
    """A POST that came: its path, headers in lower case, bytes, what JSON they are, and when, in seconds since 1970."""

    path: str
    headers: dict[str, str]
    data: bytes = field(repr=False)
    at: float = field(default_factory=time.time, compare=False)

    @property
    def body(self) -> Any:
        return json.loads(self.data)


@dataclass
class Web:
    """`pages`: path → bytes. `disturb(method, path)`: a status to answer instead, 0 to hang up, None for no fault."""

    address: str
    port: int
    pages: dict[str, bytes] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    disturb: Callable[[str, str], int | None] = lambda method, path: None

    @property
    def environ(self) -> dict[str, str]:
        """What lets the image service in here."""
        return {"FETCH_ALLOW_NETWORKS": "127.0.0.0/8", "FETCH_ALLOW_PORTS": str(self.port), "POSTBACK_ALLOW_HTTP": "1"}


@contextmanager
def running_web() -> Iterator[Web]:
    server = _Server(("127.0.0.1", 0), _Handler)
    port = server.server_address[1]
    server.web = Web(f"http://127.0.0.1:{port}", port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.web  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that were killed in the middle of a request are nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def web(self) -> Web:
        return self.server.web  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        self.web.fetched.append(self.path)
        data = self.web.pages.get(self.path)
        self._answer(404 if data is None else 200, data or b"")

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self._answer(200, b""):
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.web.posted.append(Posted(self.path, headers, data))

    def _answer(self, status: int, data: bytes) -> bool:
        """False where a fault was planted."""
        fault = self.web.disturb(self.command, self.path)
        if fault == 0:
            self.close_connection = True
            return False
        self.send_response(status if fault is None else fault)
        self.send_header("Content-Length", str(len(data) if fault is None else 0))
        self.end_headers()
        if fault is None:
            self.wfile.write(data)
        return fault is None

    def log_message(self, format: str, *arguments: Any) -> None:
        pass
