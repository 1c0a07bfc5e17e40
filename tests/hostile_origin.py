"""A web server that does what no web server should, and what some do: each path has a behaviour of its own."""

from __future__ import annotations

import gzip
import itertools
import socket
import socketserver
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    #: The client's port: the same for requests that share a connection.
    port: int


#: Does something with the connection; true where it may carry another request.
Behaviour = Callable[[socket.socket], bool]


def answer(status: int = 200, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Behaviour:
    """A proper answer, in one piece."""
    lines = {"Content-Length": str(len(body))} | dict(headers or {})
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return raw(head.encode("latin-1") + b"\r\n" + body, keep=True)


def raw(data: bytes, *, keep: bool = False) -> Behaviour:
    """These bytes; then the connection is kept, or ends."""

    def behave(connection: socket.socket) -> bool:
        connection.sendall(data)
        return keep

    return behave


def after(seconds: float, behaviour: Behaviour) -> Behaviour:
    """Nothing for a while, and then `behaviour`."""

    def behave(connection: socket.socket) -> bool:
        time.sleep(seconds)
        return behaviour(connection)

    return behave


def once_each(behaviour: Behaviour) -> Behaviour:
    """`behaviour` for the first request of each connection, and the end of it for the second."""
    known: set[object] = set()

    def behave(connection: socket.socket) -> bool:
        client = connection.getpeername()
        if client in known:
            return False
        known.add(client)
        return behaviour(connection)

    return behave


def drip(head: bytes, piece: bytes, seconds: float = 0.1) -> Behaviour:
    """`head` at once, then `piece` again and again, until the other side has enough."""

    def behave(connection: socket.socket) -> bool:
        connection.sendall(head)
        connection.settimeout(seconds)
        while True:
            connection.sendall(piece)
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return False

    return behave


def flood(head: bytes, piece: bytes, *, times: int | None = None) -> Behaviour:
    """`head`, then `piece` as fast as it is taken: `times`, or without end."""

    def behave(connection: socket.socket) -> bool:
        connection.sendall(head)
        for _ in itertools.repeat(None) if times is None else range(times):
            connection.sendall(piece)
        return False

    return behave


def silence(connection: socket.socket) -> bool:
    """Nothing, until the other side goes."""
    connection.recv(1)
    return False


def reset(connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    return False


def packed(encoding: str, body: bytes) -> Behaviour:
    return answer(headers={"Content-Encoding": encoding}, body=body)


def gzip_bomb(unpacked: int) -> bytes:
    """About a thousandth of `unpacked` bytes, which is what it becomes; nobody is meant to come to its end."""
    return gzip.compress(b"")[:10] + deflate_bomb(unpacked)


def deflate_bomb(unpacked: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    # After a full flush nothing depends on what came before, so the same piece can follow itself.
    piece = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece * (unpacked >> 20)


def nested_bomb(unpacked: int) -> bytes:
    """A bomb within a bomb: for `Content-Encoding: gzip, gzip`."""
    return gzip.compress(gzip_bomb(unpacked), 1)


class Origin:
    """The server while it runs: `requests` it had, and the URLs of its paths."""

    def __init__(self, behaviours: Mapping[str, Behaviour], port: int, scheme: str) -> None:
        self.behaviours = dict(behaviours)
        self.port = port
        self.scheme = scheme
        self.requests: list[Request] = []
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.at_once = 0
        #: Take no request's body, until this is set.
        self.open = threading.Event()
        self.open.set()

    def url(self, path: str) -> str:
        return f"{self.scheme}://{HOST}:{self.port}{path}"


@contextmanager
def origin(behaviours: Mapping[str, Behaviour], tls: ssl.SSLContext | None = None) -> Iterator[Origin]:
    """Runs in threads of this process until the block ends; with `tls` it speaks https."""
    with _Server((HOST, 0), _Handler) as server:
        server.origin = Origin(behaviours, server.server_address[1], "https" if tls else "http")
        server.tls = tls
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.origin
        finally:
            server.origin.open.set()
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    origin: Origin
    tls: ssl.SSLContext | None

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what this server is for."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    connection: socket.socket

    def setup(self) -> None:
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.request.close()

    def handle(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while request := self._read():
            if not self._behave(request):
                return

    def _behave(self, request: Request) -> bool:
        origin = self.server.origin
        with origin.lock:
            origin.requests.append(request)
            origin.at_once += 1
            origin.most_at_once = max(origin.most_at_once, origin.at_once)
        try:
            return origin.behaviours[request.path](self.connection)
        finally:
            with origin.lock:
                origin.at_once -= 1

    def _read(self) -> Request | None:
        words = self.rfile.readline().decode("latin-1").split()
        if len(words) != 3:
            return None
        headers = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        self.server.origin.open.wait()
        body = self.rfile.read(int(headers.get("content-length", "0")))
        return Request(words[0], words[1], headers, body, self.client_address[1])
