from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local_cloud.guard import guarded, refusal
from local_cloud.writes import may_write

PORT = 4600
OURS = "127.0.0.1:4600"


def request(headers: dict[str, str], *, method: str = "GET", path: str = "/", kind: str = "http") -> dict[str, Any]:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": method, "path": path, "headers": encoded}
    if kind == "websocket":
        del scope["method"]
    return scope


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": OURS},
        {"host": "localhost:4600"},
        {"host": "LOCALHOST:4600"},
        {"host": "a-bucket.localhost:4600"},
        {"host": OURS, "sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
        {"host": OURS, "sec-fetch-site": "same-origin"},
        {"host": OURS, "sec-fetch-site": "same-site"},
        {"host": OURS, "origin": "http://127.0.0.1:4600"},
        {"host": OURS, "origin": "http://localhost:4600"},
    ],
)
def test_programs_people_and_our_own_pages_may_read(headers):
    assert refusal(request(headers), port=PORT) is None


@pytest.mark.parametrize("query", ["Action=CreateQueue", "%41ction=CreateUser&UserName=x", "a=b&Action="])
def test_no_page_does_by_a_get_what_an_action_in_its_address_says(query):
    page = request({"host": OURS, "sec-fetch-site": "same-site"}) | {"query_string": query.encode()}
    program = request({"host": OURS}) | {"query_string": query.encode()}

    assert refusal(page, port=PORT) and refusal(program, port=PORT) is None
    assert may_write({**program, "query_string": query.encode()})


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example:4600",
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:4601",
        "localhost",
        "localhost:80",
        "127.0.0.1.evil.example:4600",
        "localhost.evil.example:4600",
        "evillocalhost:4600",
        "127.0.0.1:4600@evil.example",
        "evil.example/127.0.0.1:4600",
        "[::1]:4600",
        "0.0.0.0:4600",
        "192.168.1.5:4600",
    ],
)
def test_a_name_that_is_not_ours_is_refused_although_it_leads_here(host):
    assert "Host" in (refusal(request({"host": host}), port=PORT) or "")


def test_a_request_without_a_host_is_refused():
    assert refusal(request({}), port=PORT)


def test_one_good_host_does_not_excuse_a_bad_one():
    scope = request({"host": OURS})
    scope["headers"].append((b"host", b"evil.example"))

    assert refusal(scope, port=PORT)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "https://127.0.0.1:4600",
        "http://127.0.0.1:8000",
        "http://127.0.0.1",
        "http://evil.example:4600",
        "http://localhost.evil.example:4600",
        "chrome-extension://abcdefgh",
        "file://",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_page_from_elsewhere_is_refused_whatever_it_asks(origin, method):
    scope = request({"host": OURS, "origin": origin}, method=method, path="/_aws/lambda-url/abc/")

    assert refusal(scope, port=PORT)


def test_an_image_on_a_foreign_page_is_refused_although_it_has_no_origin():
    assert refusal(request({"host": OURS, "sec-fetch-site": "cross-site"}), port=PORT)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/2015-03-31/functions", "/_aws/lambda-url/", "/_aws/lambda-url/abc/", "/b/k"])
def test_a_page_that_we_serve_may_not_write(method, path):
    scope = request({"host": OURS, "origin": f"http://{OURS}"}, method=method, path=path)

    assert "read" in (refusal(scope, port=PORT) or "")


def test_a_page_that_we_serve_may_read_by_a_function_url():
    scope = request({"host": OURS, "sec-fetch-site": "same-origin"}, path="/_aws/lambda-url/abc/images")

    assert refusal(scope, port=PORT) is None


def test_no_page_may_name_an_operation_in_a_header():
    target = {"x-amz-target": "DynamoDB_20120810.DeleteTable"}

    assert refusal(request({"host": OURS, "sec-fetch-site": "same-origin", **target}), port=PORT)
    assert refusal(request({"host": OURS, **target}, method="POST"), port=PORT) is None


def test_a_websocket_from_elsewhere_is_closed_before_it_opens():
    sent = talk(request({"host": OURS, "origin": "https://evil.example"}, kind="websocket"))

    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_websocket_of_a_program_reaches_the_application():
    sent = talk(request({"host": OURS}, kind="websocket"))

    assert sent[0]["type"] == "http.response.start"


def test_answers_lose_the_headers_that_open_them_to_every_page():
    start, _ = talk(request({"host": OURS}))

    assert start["headers"] == [(b"content-type", b"text/plain")]


def test_a_refused_request_never_reaches_the_application_and_is_told_why():
    start, body = talk(request({"host": "evil.example"}))

    assert start["status"] == 403
    assert b"evil.example" in body["body"]


def talk(scope: dict[str, Any]) -> list[dict[str, Any]]:
    """What the guarded application sends for this request."""
    sent: list[dict[str, Any]] = []

    async def application(scope, receive, send):
        opening = [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-expose-headers", b"*")]
        headers = [(b"content-type", b"text/plain"), *opening]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"reached"})

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(guarded(application, port=PORT)(scope, receive, send))
    return sent
