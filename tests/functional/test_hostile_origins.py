"""Whatever a server does, a fetch ends in time, in little memory, and as what it should."""

from __future__ import annotations

import gzip

import pytest

from tests.functional.fetching import fetch_apart
from tests.hostile_origin import (
    after,
    answer,
    deflate_bomb,
    drip,
    flood,
    gzip_bomb,
    nested_bomb,
    origin,
    packed,
    raw,
    reset,
    silence,
)

OK = b"HTTP/1.1 200 OK\r\n"
LONG = b"Content-Length: 1000000\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
PIECE = bytes(65536)
MB = 1 << 20

NESTED = nested_bomb(1024 * MB)
EMPTY = gzip.compress(gzip.compress(gzip.compress(b"") * 300_000))

#: What the server does, and how a fetch of it ends.
ENDS_AT_ONCE = {
    "a gzip bomb": (packed("gzip", gzip_bomb(2048 * MB)), "TOO_LARGE"),
    "a gzip bomb under its older name": (packed("x-gzip", gzip_bomb(256 * MB)), "TOO_LARGE"),
    "a deflate bomb": (packed("deflate", deflate_bomb(1024 * MB)), "TOO_LARGE"),
    "a bomb in a bomb": (packed("gzip, gzip", NESTED), f"{len(NESTED)} bytes"),
    "hours of unpacking that yields nothing": (packed("gzip, gzip, gzip", EMPTY), f"{len(EMPTY)} bytes"),
    "ten layers": (packed(", ".join(["gzip"] * 10), gzip_bomb(MB)), "FETCH_FAILED"),
    "brotli, which nobody asked for": (packed("br", b"\x1b\x00\x00\x00packed"), "10 bytes"),
    "gzip that is none": (packed("gzip", b"no gzip at all"), "FETCH_FAILED"),
    "gzip in fact": (packed("gzip", gzip.compress(bytes(MB))), f"{MB} bytes"),
    "an endless body": (flood(OK + b"\r\n", PIECE), "TOO_LARGE"),
    "an endless body in chunks": (flood(OK + CHUNKED + b"\r\n", b"10000\r\n" + PIECE + b"\r\n"), "TOO_LARGE"),
    "a terabyte announced": (flood(OK + b"Content-Length: 1099511627776\r\n\r\n", PIECE), "TOO_LARGE"),
    "one chunk of a terabyte": (flood(OK + CHUNKED + b"\r\n10000000000\r\n", PIECE), "TOO_LARGE"),
    "a chunk that goes on for ever, by its length below zero": (
        flood(OK + CHUNKED + b"\r\n-1\r\n", PIECE),
        "TOO_LARGE",
    ),
    "a chunk of another length below zero": (raw(OK + CHUNKED + b"\r\n-5\r\nshort"), "RetryError"),
    "a length of more digits than Python reads": (
        raw(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
        "TOO_LARGE",
    ),
    "a date beyond all years": (
        raw(b"HTTP/1.1 503 Busy\r\nRetry-After: Mon, 1 Jan " + b"9" * 40 + b" 00:00:00 GMT\r\n\r\n"),
        "RetryError",
    ),
    "one byte too many": (raw(OK + b"Content-Length: 50000001\r\n\r\n"), "TOO_LARGE"),
    "as much as is allowed": (
        flood(OK + b"Content-Length: 50000000\r\n\r\n", bytes(1_000_000), times=50),
        "50000000 bytes",
    ),
    "a short body": (raw(OK + LONG + b"\r\nshort"), "RetryError"),
    "a short body in chunks": (raw(OK + CHUNKED + b"\r\nff\r\nshort"), "RetryError"),
    "a chunk of no length": (raw(OK + CHUNKED + b"\r\nlong\r\nshort"), "RetryError"),
    "more than was announced": (raw(OK + b"Content-Length: 4\r\n\r\nlonger than that"), "4 bytes"),
    "two lengths": (raw(OK + b"Content-Length: 4\r\nContent-Length: 9\r\n\r\nlong"), "RetryError"),
    "a length that is none": (raw(OK + b"Content-Length: -4\r\n\r\nlong"), "4 bytes"),
    "no length": (raw(OK + b"\r\nlong"), "4 bytes"),
    "a page instead of an image": (answer(headers={"Content-Type": "text/html"}, body=b"<html>"), "6 bytes"),
    "204": (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), "INVALID_CONTENT"),
    "an empty body": (answer(), "INVALID_CONTENT"),
    "hints before the answer": (raw(HINTS + OK + b"Content-Length: 4\r\n\r\nlong"), "4 bytes"),
    "all that may come before the answer": (
        raw(b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 102 Wait\r\n\r\n" + HINTS * 2 + OK + b"Content-Length: 4\r\n\r\nlong"),
        "4 bytes",
    ),
    "hints before a refusal": (raw(HINTS + b"HTTP/1.1 404 No\r\n\r\n"), "FETCH_FAILED"),
    "hints and no answer": (raw(HINTS), "RetryError"),
    "endless hints": (flood(b"", HINTS), "RetryError"),
    "another protocol": (raw(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n"), "FETCH_FAILED"),
    "nothing at all": (raw(b""), "RetryError"),
    "a reset": (reset, "RetryError"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "RetryError"),
    "HTTP 0.9": (raw(b"\x89PNG"), "RetryError"),
    "an endless line of a header": (flood(OK + b"X: ", PIECE.replace(b"\0", b"x")), "RetryError"),
    "endless headers": (flood(OK, b"X: y\r\n" * 1000), "RetryError"),
    "a redirect to itself": (answer(302, {"Location": "/a redirect to itself"}), "FETCH_FAILED"),
    "a redirect to nowhere": (answer(302), "FETCH_FAILED"),
    "a redirect to no URL": (answer(301, {"Location": "http://[::1"}), "URL_REFUSED"),
    "a redirect with an endless body": (
        flood(b"HTTP/1.1 301 Go\r\nLocation: /an empty body\r\n\r\n", PIECE),
        "INVALID_CONTENT",
    ),
    **{
        f"{status}": (answer(status), end)
        for end, codes in {
            "RetryError": (408, 425, 429, 500, 502, 503, 504, 599),
            "FETCH_FAILED": (300, 304, 400, 401, 403, 404, 405, 410, 418, 451),
        }.items()
        for status in codes
    },
}
ENDS_WITH_THE_DEADLINE = {
    "silence": silence,
    "a dripped status": drip(b"", b"H"),
    "dripped headers": drip(OK, b"X: y\r\n"),
    "a dripped header": drip(OK + b"X: ", b"y"),
    "a dripped body": drip(OK + LONG + b"\r\n", b"x"),
    "a dripped body without length": drip(OK + b"\r\n", b"x"),
    "a dripped body in chunks": drip(OK + CHUNKED + b"\r\n", b"1\r\nx\r\n"),
    "a dripped length of a chunk": drip(OK + CHUNKED + b"\r\n", b"0"),
    "dripped gzip": drip(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip_bomb(MB)[:20], b"\0"),
    "go on, again and again": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "hints, again and again": drip(b"", HINTS),
    "a body that stops": drip(OK + LONG + b"\r\nstart", b""),
    "redirects that dawdle": after(0.5, answer(302, {"Location": "/redirects%20that%20dawdle"})),
    "a dripped end of chunks": drip(OK + CHUNKED + b"\r\n1\r\nx\r\n0\r\n", b"X: y\r\n"),
}


@pytest.fixture(scope="module")
def server():
    at_once = {f"/{name.replace(' ', '%20')}": behaviour for name, (behaviour, _) in ENDS_AT_ONCE.items()}
    late = {f"/{name.replace(' ', '%20')}": behaviour for name, behaviour in ENDS_WITH_THE_DEADLINE.items()}
    with origin(at_once | late) as running:
        yield running


def test_every_fault_of_a_server_has_its_outcome_in_less_than_200_mb(server):
    urls = {name: server.url(f"/{name}") for name in ENDS_AT_ONCE}

    seen = fetch_apart(urls, server.port, deadline=30, threads=1)

    assert {name: end for name, (end, _) in seen["ends"].items()} == {
        name: end for name, (_, end) in ENDS_AT_ONCE.items()
    }
    assert seen["peak"] < 200_000_000


def test_a_server_that_dawdles_has_as_long_as_the_deadline_however_it_does_it(server):
    urls = {name: server.url(f"/{name}") for name in ENDS_WITH_THE_DEADLINE}

    seen = fetch_apart(urls, server.port, deadline=2, threads=len(urls))

    assert {name: end for name, (end, _) in seen["ends"].items()} == dict.fromkeys(urls, "RetryError")
    assert max(seconds for _, seconds in seen["ends"].values()) < 3
    assert min(seconds for _, seconds in seen["ends"].values()) > 1.5
