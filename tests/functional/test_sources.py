from __future__ import annotations

import gc
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Code, PipelineError, RejectError, RetryError
from pipeline.version import VERSION
from pipeline.web.guard import Guard
from pipeline.web.outbound import Outbound
from pipeline.web.sources import Fetcher
from tests.functional.fetching import end_of, loopback_outbound
from tests.hostile_origin import HOST, after, answer, drip, once_each, origin, raw, silence

PNG = b"\x89PNG and so on"


def fetcher_for(server, **named):
    return Fetcher(loopback_outbound(server.port), **named)


def test_an_image_comes_with_its_bytes_its_type_and_where_it_was():
    with origin({"/a.png": answer(headers={"Content-Type": "image/png"}, body=PNG)}) as server:
        fetched = fetcher_for(server).fetch(server.url("/a.png"))

    assert (fetched.data, fetched.content_type, fetched.url) == (PNG, "image/png", server.url("/a.png"))


def test_a_server_sees_who_asks_and_that_nothing_should_be_packed():
    with origin({"/a.png": answer(body=PNG)}) as server:
        fetcher_for(server).fetch(server.url("/a.png"))

    headers = server.requests[0].headers
    assert headers["user-agent"] == f"image-pipeline/{VERSION}"
    assert headers["accept-encoding"] == "identity"
    assert headers["host"] == f"{HOST}:{server.port}"
    assert not {"cookie", "authorization", "referer"} & headers.keys()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/b.png", "b.png", "//{host}/b.png", "http://{host}/b.png#part"])
def test_a_redirect_is_followed_to_where_it_leads(status, location):
    with origin({"/b.png": answer(body=PNG)}) as server:
        server.behaviours["/a.png"] = answer(status, {"Location": location.format(host=f"{HOST}:{server.port}")})

        fetched = fetcher_for(server).fetch(server.url("/a.png"))

    assert fetched.data == PNG
    assert fetched.url.startswith(server.url("/b.png"))


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/my photo.png", "/my%20photo.png"),
        ("/größe.png", "/gr%C3%B6%C3%9Fe.png"),
        ("/a%20b.png?x=1&y=[2]", "/a%20b.png?x=1&y=%5B2%5D"),
        ("/a.png#part", "/a.png"),
        ("", "/"),
        ("?x=1", "/?x=1"),
    ],
)
def test_a_url_is_sent_as_servers_expect_it(path, sent):
    with origin({sent: answer(body=PNG)}) as server:
        fetched = fetcher_for(server).fetch(f"  {server.url(path)}\n")

    assert fetched.data == PNG


def test_a_redirect_in_utf_8_is_followed():
    location = "/größe.png".encode().decode("latin-1")
    with origin({"/a.png": answer(302, {"Location": location}), "/gr%C3%B6%C3%9Fe.png": answer(body=PNG)}) as server:
        location_with_utf_8 = fetcher_for(server).fetch(server.url("/a.png"))

    assert location_with_utf_8.data == PNG


def test_a_connection_is_used_again():
    with origin({"/a.png": answer(body=PNG)}) as server:
        fetcher = fetcher_for(server)
        for _ in range(5):
            fetcher.fetch(server.url("/a.png"))

    assert len({request.port for request in server.requests}) == 1


def test_a_connection_that_the_server_has_left_is_not_used_again():
    with origin({"/a.png": answer(headers={"Connection": "close"}, body=PNG)}) as server:
        fetcher = fetcher_for(server)

        assert [fetcher.fetch(server.url("/a.png")).data for _ in range(3)] == [PNG] * 3


def test_a_connection_that_ends_in_the_moment_in_which_it_is_used_again_is_replaced():
    with origin({"/a.png": once_each(answer(body=PNG))}) as server:
        fetcher = fetcher_for(server)
        fetched = [fetcher.fetch(server.url("/a.png")).data for _ in range(2)]

    assert fetched == [PNG, PNG] and len({request.port for request in server.requests}) == 2


def test_who_ends_every_connection_without_a_word_is_asked_twice_and_no_more():
    with origin({"/a.png": raw(b"")}) as server:
        with pytest.raises(RetryError):
            fetcher_for(server).fetch(server.url("/a.png"))

    assert len(server.requests) == 2


def test_one_host_never_has_more_of_us_at_one_time_than_its_share():
    with origin({"/a.png": after(0.05, answer(body=PNG))}) as server:
        fetcher = Fetcher(loopback_outbound(server.port, per_host=3))
        with ThreadPoolExecutor(12) as pool:
            fetched = list(pool.map(fetcher.fetch, [server.url("/a.png")] * 24))

    assert {image.data for image in fetched} == {PNG}
    assert server.most_at_once == 3
    assert len({request.port for request in server.requests}) == 3


def test_waiting_for_a_free_connection_counts_against_the_deadline():
    with origin({"/slow": silence}) as server:
        fetcher = Fetcher(loopback_outbound(server.port, per_host=1), deadline=1)
        began = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(lambda url: end_of(fetcher, url), [server.url("/slow")] * 2))

    assert ends == ["RetryError", "RetryError"]
    assert time.monotonic() - began < 2


def test_a_slow_look_up_counts_against_the_deadline():
    asked = threading.Event()

    def look_up(host, port):
        asked.set()
        time.sleep(5)
        return ["8.8.8.8"]

    began = time.monotonic()

    assert end_of(Fetcher(Outbound(Guard(resolve=look_up)), deadline=0.5), "http://slow.test/") == "RetryError"
    assert asked.is_set()
    assert time.monotonic() - began < 1.5


class _LateGuard(Guard):
    """Gives its addresses when the time of the request is over."""

    def addresses(self, host, port, seconds):
        found = super().addresses(host, port, seconds)
        time.sleep(seconds + 0.05)
        return found


def test_a_connection_that_comes_after_the_deadline_is_closed_again():
    with origin({"/a.png": answer(body=PNG)}) as server:
        late = _LateGuard(networks=[ip_network("127.0.0.0/8")], ports=frozenset([server.port]))

        assert end_of(Fetcher(Outbound(late), deadline=0.2), server.url("/a.png")) == "RetryError"

    # An open socket that nobody holds any more speaks up here.
    gc.collect()


@pytest.mark.parametrize("error", [socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_SYSTEM])
def test_a_name_server_that_does_not_know_just_now_may_know_later(error):
    assert end_of(fetcher_that_looks_up(error), "http://somewhere.test/") == "RetryError"


def test_a_host_that_does_not_exist_is_refused_for_good():
    assert end_of(fetcher_that_looks_up(socket.EAI_NONAME), "http://nowhere.test/") == Code.URL_REFUSED


def fetcher_that_looks_up(error):
    def look_up(host, port):
        raise socket.gaierror(error, "as told")

    return Fetcher(Outbound(Guard(resolve=look_up)))


def test_a_refused_connection_may_work_later():
    with socket.socket() as closed:
        closed.bind((HOST, 0))
        port = closed.getsockname()[1]

        assert end_of(Fetcher(loopback_outbound(port)), f"http://{HOST}:{port}/") == "RetryError"


def test_the_next_address_of_a_host_is_tried_where_the_first_is_closed():
    with origin({"/a.png": answer(body=PNG)}) as server:
        guard = Guard(
            networks=[ip_network("127.0.0.0/8")],
            ports=frozenset([server.port]),
            resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"],
        )

        fetched = Fetcher(Outbound(guard)).fetch(f"http://two.test:{server.port}/a.png")

    assert fetched.data == PNG
    assert server.requests[0].headers["host"] == f"two.test:{server.port}"


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("7", 7, 7),
        (" 120 ", 120, 120),
        ("soon", None, None),
        ("", None, None),
        ("-5", None, None),
        ("9" * 30, 86400, 86400),
    ],
)
def test_retry_after_in_seconds_is_passed_on(value, low, high):
    assert after_of({"Retry-After": value}) == (low if low == high else None)


def test_retry_after_as_a_date_is_passed_on_in_seconds():
    in_a_minute = after_of({"Retry-After": formatdate(time.time() + 60, usegmt=True)})
    long_ago = after_of({"Retry-After": formatdate(0, usegmt=True)})

    assert 55 < in_a_minute <= 60
    assert long_ago == 0


def after_of(headers):
    with origin({"/": answer(503, headers)}) as server, pytest.raises(RetryError) as error:
        fetcher_for(server).fetch(server.url("/"))
    return error.value.after


@pytest.mark.parametrize("path", ["/secret-path?secret=query", "/cut?secret=query", "/no?secret=query"])
def test_no_error_tells_the_path_or_the_query_of_a_url(path):
    faults = {
        "/secret-path?secret=query": answer(404),
        "/cut?secret=query": drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        "/no?secret=query": silence,
    }
    with origin(faults) as server, pytest.raises(PipelineError) as error:
        fetcher_for(server, deadline=0.5).fetch(server.url(path))

    assert "secret" not in str(error.value)


@pytest.mark.parametrize("line", [b"no header at all", b": nameless", b"X\xff: y", b" folded: z"])
def test_no_log_line_tells_a_url_or_what_a_server_sent(line, caplog):
    faulty = raw(b"HTTP/1.1 200 OK\r\nA: b\r\n" + line + b"\r\nContent-Length: 4\r\n\r\nlong")
    with caplog.at_level(logging.INFO), origin({"/secret-path?secret=query": faulty}) as server:
        end_of(fetcher_for(server), server.url("/secret-path?secret=query"))

    assert caplog.text == ""


def test_no_error_tells_which_address_a_name_has():
    guard = Guard(resolve=lambda host, port: ["10.20.30.40"])

    with pytest.raises(RejectError) as error:
        Fetcher(Outbound(guard)).fetch("http://intranet.test/")

    assert "10.20.30.40" not in str(error.value)


def test_a_password_in_a_url_is_refused_and_not_told():
    with pytest.raises(RejectError, match="URL_REFUSED") as error:
        Fetcher(Outbound(Guard())).fetch("http://user:hunter2@example.com/")

    assert "hunter2" not in str(error.value)


def test_a_host_with_letters_beyond_ascii_is_looked_up_by_its_ascii_name():
    asked = []

    def look_up(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    end_of(Fetcher(Outbound(Guard(resolve=look_up))), "http://bücher.test/größe.png")

    assert asked == ["xn--bcher-kva.test"]


@given(st.text() | st.text().map("http://".__add__) | st.text().map("http://nowhere.test/".__add__))
def test_any_text_is_a_url_or_is_refused_as_none(text):
    with pytest.raises(RejectError, match="URL_REFUSED"):
        fetcher_that_looks_up(socket.EAI_NONAME).fetch(text)
