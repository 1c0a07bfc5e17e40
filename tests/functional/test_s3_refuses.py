"""What S3 says of an object that it does not give or take: gone is what it says with `NoSuchKey` alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bulk.patience import patiently
from pipeline.aws_errors import code_of
from pipeline.budget import PixelBudget
from pipeline.clients import make_client
from pipeline.errors import RetryError
from pipeline.images.options import OutputOptions
from pipeline.job import Job, Output, OutputWanted, S3Source
from pipeline.process import process
from pipeline.services import Services
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
    """Answers with the status and the body that its server was given."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_HEAD(self) -> None:
        self.send_response(self.server.answer[0])  # type: ignore[attr-defined]
        self.end_headers()

    def do_GET(self) -> None:
        status, body = self.server.answer  # type: ignore[attr-defined]
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


def storage(refusing: Any, answer: tuple[int, str | bytes]) -> Storage:
    """`answer`: a status, and a code of S3's or the body of somebody else."""
    status, said = answer
    body = said if isinstance(said, bytes) else f"<Error><Code>{said}</Code><Message>no</Message></Error>".encode()
    refusing.answer = status, body
    return Storage(make_client(None, "s3", endpoint_url=f"http://127.0.0.1:{refusing.server_port}", region="us-east-1"))


def get(refusing: Any, answer: tuple[int, str | bytes]) -> object:
    return storage(refusing, answer).get("uploads", "a.jpg", max_bytes=100)


@pytest.mark.parametrize("answer", sorted(GONE), ids=str)
def test_an_object_that_is_gone_is_none(refusing, answer):
    assert get(refusing, answer) is None
    assert storage(refusing, answer).look("uploads", "a.jpg") is None


@pytest.mark.parametrize("answer", sorted(LATER), ids=str)
def test_whatever_else_s3_answers_comes_back_and_is_never_taken_for_gone(refusing, answer):
    with pytest.raises(RetryError, match=answer[1]):
        get(refusing, answer)


@pytest.mark.parametrize("body", [b"", b"<!doctype html><p>Not Found", b"<html><p>Not Found</p></html>"], ids=str)
def test_a_404_without_the_words_of_s3_comes_back_and_is_never_taken_for_gone(refusing, body):
    with pytest.raises(RetryError):
        get(refusing, (404, body))


def test_an_object_is_gone_too_where_the_answer_repeats_a_key_that_no_xml_can_carry(refusing):
    answer = (404, b"<Error><Code>NoSuchKey</Code><Key>&#x1;</Key></Error>")

    assert storage(refusing, answer).get("uploads", "\x01", max_bytes=100) is None


def test_two_conditional_writes_at_once_may_be_refused_and_come_back(refusing):
    output = Output("compressed", b"pixels", "image/jpeg", "JPEG", (2, 1))

    with pytest.raises(RetryError, match="ConditionalRequestConflict"):
        storage(refusing, (409, "ConditionalRequestConflict")).put_output("outputs", "a.jpg", output)


@pytest.mark.parametrize("answer", [(400, "ExpiredToken"), (403, "AccessDenied"), (403, "InvalidAccessKeyId")], ids=str)
def test_why_a_head_is_refused_is_asked_for(refusing, answer):
    with pytest.raises(RetryError) as refused:
        storage(refusing, answer).look("uploads", "a.jpg")

    assert isinstance(refused.value.__cause__, ClientError) and code_of(refused.value.__cause__) == answer[1]


@pytest.mark.parametrize(
    "answer",
    [(400, "RequestTimeout"), (400, "ThrottlingException"), (409, "OperationAborted"), (503, "SlowDown")],
    ids=str,
)
def test_what_may_pass_is_waited_for_where_there_is_no_queue(refusing, answer):
    slept: list[float] = []

    with pytest.raises(RetryError):
        patiently(lambda: get(refusing, answer), pauses=(1.0, 2.0), sleep=slept.append)

    assert slept == [1.0, 2.0]


@pytest.mark.parametrize("answer", [(403, "AccessDenied"), (400, "ExpiredToken"), (404, "NoSuchBucket")], ids=str)
def test_what_stays_is_not_waited_for(refusing, answer):
    with pytest.raises(RetryError):
        patiently(lambda: get(refusing, answer), sleep=lambda _: pytest.fail("it waits"))


def test_a_bucket_that_is_missing_is_no_object_that_was_deleted(refusing):
    edges = Services(storage=storage(refusing, (404, "NoSuchBucket")), budget=PixelBudget(1))
    wanted = OutputWanted("compressed", OutputOptions(), "out", key="a.jpg")

    with pytest.raises(RetryError, match="NoSuchBucket"):
        process(Job(source=S3Source("photos", "a.jpg"), outputs=(wanted,), record=False), edges)
