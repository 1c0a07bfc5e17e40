"""An HTTP proxy between boto3 and an AWS-like service that does to requests what networks and busy services do.

It stands between the function and the local cloud only: events, polling and the tests' own looks go directly. Which
fault meets which call is decided by a seeded generator, or by a test that waits for one certain call.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"

#: What may happen to a call, and the word for it in results.
FAULTS = (
    "reset before",
    "answer lost",
    "500",
    "503 SlowDown",
    "throttled",
    "delayed",
    "truncated",
    "corrupted",
)

_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "expect"}


@dataclass(frozen=True)
class Call:
    """One request: the operation in AWS's word, the object key or "", and its connection: from which port to which."""

    operation: str
    key: str
    ports: tuple[int, int]


#: Told of every call before it is passed on; returns the fault that it meets, if any.
Decide = Callable[[Call], str | None]
#: Told of every call after it was answered, and before the answer is passed back.
Answered = Callable[[Call], None]


def mixed(share: float, seed: int, counts: Counter[str]) -> Decide:
    """Every call meets a fault of any kind with probability `share`; `counts` says how often each came."""
    rng, lock = random.Random(seed), threading.Lock()

    def decide(call: Call) -> str | None:
        with lock:
            counts["calls"] += 1
            if rng.random() >= share:
                return None
            fault = rng.choice(FAULTS)
            counts[fault] += 1
            return fault

    return decide


@contextmanager
def fault_proxy(
    port: int, decide: Decide, answered: Answered = lambda call: None, *, hurry: float = 1
) -> Iterator[str]:
    """The proxy's address, in front of 127.0.0.1:`port`. `hurry`: delays of messages are divided by it."""
    server = _Server((HOST, 0), _Handler)
    server.target, server.decide, server.answered, server.hurry = port, decide, answered, hurry
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    target: int
    decide: Decide
    answered: Answered
    hurry: float

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that died in the middle of its request is what these tests are about."""


class _Reset(Exception):
    pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    upstream: HTTPConnection | None = None

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (_Reset, OSError):
            # An RST, not a polite end: the client shall not take it for a whole answer.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

    def finish(self) -> None:
        if self.upstream:
            self.upstream.close()
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None: ...

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = self._call(body)
        fault = self.server.decide(call)
        if fault == "reset before":
            raise _Reset
        if fault in _REFUSALS:
            return self._refuse(*_REFUSALS[fault](call))
        if fault == "delayed":
            time.sleep(random.uniform(0.05, 0.4))
        if call.operation == "ChangeMessageVisibility":
            body = _hurried(body, self.server.hurry)
        status, headers, data = self._ask(body)
        self.server.answered(call)
        if fault == "answer lost":
            raise _Reset
        self._answer(status, headers, data, fault, call)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _relay

    def _call(self, body: bytes) -> Call:
        ports = (self.client_address[1], self.server.server_address[1])
        target = self.headers.get("X-Amz-Target")
        if target:
            return Call(target.split(".")[-1], _key_in(body), ports)
        path = urlsplit(self.path)
        parts = unquote(path.path).split("/", 2)
        key = parts[2] if len(parts) > 2 else ""
        about = next((name for part, name in _ABOUT.items() if path.query.startswith(part)), None)
        kind = {"GET": "GetObject" if key else "ListObjectsV2", "PUT": "PutObject", "HEAD": "HeadObject"}
        return Call(about or kind.get(self.command, "DeleteObjects"), key or _key_in(body), ports)

    def _ask(self, body: bytes) -> tuple[int, HTTPMessage, bytes]:
        if self.upstream is None:
            self.upstream = HTTPConnection(HOST, self.server.target, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        headers["Content-Length"] = str(len(body))
        try:
            self.upstream.request(self.command, self.path, body, headers)
            answer = self.upstream.getresponse()
            return answer.status, answer.headers, answer.read()
        except Exception:
            self.upstream.close()
            self.upstream = None
            raise _Reset from None

    def _answer(self, status: int, headers: HTTPMessage, data: bytes, fault: str | None, call: Call) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP | {"content-length", "date", "server"}:
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length)
        self.end_headers()
        if fault == "truncated" and data and self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2])
            raise _Reset
        if fault == "corrupted" and status == 200 and call.operation in _CHECKED:
            spot = len(data) // 2
            data = data[:spot] + bytes([data[spot] ^ 0x55]) + data[spot + 1 :]
        if self.command != "HEAD":
            self.wfile.write(data)

    def _refuse(self, status: int, content_type: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


#: Answers whose bytes AWS sends with a checksum: damage to others can be told by TLS only, which is not here.
_CHECKED = ("GetObject", "GetItem")
#: What a GET asks about an object or a bucket instead of for it, by the beginning of its query.
_ABOUT = {"tagging": "GetObjectTagging", "acl": "GetObjectAcl", "ownershipControls": "GetBucketOwnershipControls"}
_S3 = ("GetObject", "PutObject", "HeadObject", "DeleteObjects", "ListObjectsV2", *_ABOUT.values())


def _refusal(status: int, code: str, json_status: int, json_code: str) -> Callable[[Call], tuple[int, str, bytes]]:
    def refuse(call: Call) -> tuple[int, str, bytes]:
        if call.operation in _S3:
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>planted</Message></Error>"
            return status, "application/xml", text.encode()
        text = f'{{"__type": "{json_code}", "message": "planted"}}'
        return json_status, "application/x-amz-json-1.0", text.encode()

    return refuse


_REFUSALS = {
    "500": _refusal(500, "InternalError", 500, "InternalServerError"),
    "503 SlowDown": _refusal(503, "SlowDown", 503, "ServiceUnavailable"),
    "throttled": _refusal(503, "SlowDown", 400, "ThrottlingException"),
}


def _key_in(body: bytes) -> str:
    """The image that a request to DynamoDB is about, or the first key of a DeleteObjects."""
    for before, after in ((b'"ImageID": {"S": "', b'"'), (b'"ImageID":{"S":"', b'"'), (b"<Key>", b"</Key>")):
        _, found, rest = body.partition(before)
        if found:
            return rest.partition(after)[0].decode()
    return ""


def _hurried(body: bytes, hurry: float) -> bytes:
    import json

    request = json.loads(body)
    request["VisibilityTimeout"] = int(request["VisibilityTimeout"] / hurry)
    return json.dumps(request).encode()
