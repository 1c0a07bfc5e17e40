"""What S3 says of an object that it does not give or take: gone is what it says with 404 alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipeline.clients import make_client
from pipeline.errors import RetryError
from pipeline.job import Output
from pipeline.storage import Storage

GONE = {(404, "NoSuchKey")}
LATER = {(403, "AccessDenied"), (400, "RequestTimeout"), (405, "MethodNotAllowed"), (409, "OperationAborted")}
LATER |= {
    (404, "NoSuchBucket"),
    (429, "SlowDown"),
    (500, "InternalError"),
    (503, "SlowDown"),
    (503, "ServiceUnavailable"),
}


class Refusing(BaseHTTPRequestHandler):
    """Answers with the status and the code that its server was given."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        status, code = self.server.answer  # type: ignore[attr-defined]
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def refusing() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def storage(refusing: Any, answer: tuple[int, str]) -> Storage:
    refusing.answer = answer
    return Storage(make_client(None, "s3", endpoint_url=f"http://127.0.0.1:{refusing.server_port}", region="us-east-1"))


def get(refusing: Any, answer: tuple[int, str]) -> object:
    return storage(refusing, answer).get("uploads", "a.jpg", max_bytes=100)


@pytest.mark.parametrize("answer", sorted(GONE), ids=str)
def test_an_object_that_is_gone_is_none(refusing, answer):
    assert get(refusing, answer) is None


@pytest.mark.parametrize("answer", sorted(LATER), ids=str)
def test_whatever_else_s3_answers_comes_back_and_is_never_taken_for_gone(refusing, answer):
    with pytest.raises(RetryError, match=answer[1]):
        get(refusing, answer)


def test_two_conditional_writes_at_once_may_be_refused_and_come_back(refusing):
    output = Output("compressed", b"pixels", "image/jpeg", "JPEG", (2, 1))

    with pytest.raises(RetryError, match="ConditionalRequestConflict"):
        storage(refusing, (409, "ConditionalRequestConflict")).put_output("outputs", "a.jpg", output)
