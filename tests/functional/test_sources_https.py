"""Fetching over HTTPS: the server must be who it says, within the deadline."""

from __future__ import annotations

import socket
import time
from ipaddress import ip_network

import pytest

from pipeline.errors import Code
from pipeline.web.guard import Guard
from pipeline.web.outbound import Outbound
from pipeline.web.sources import Fetcher
from tests.certificates import Authority
from tests.functional.fetching import end_of, loopback_outbound
from tests.hostile_origin import HOST, answer, drip, origin, silence

PNG = b"\x89PNG and so on"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def test_over_https_the_server_must_be_who_it_says(authority):
    with origin({"/a.png": answer(body=PNG)}, tls=authority.server(HOST)) as server:
        outbound = loopback_outbound(server.port, tls=authority.trusted())

        assert Fetcher(outbound).fetch(server.url("/a.png")).data == PNG
        assert end_of(Fetcher(loopback_outbound(server.port)), server.url("/a.png")) == Code.FETCH_FAILED


@pytest.mark.parametrize(("name", "expired"), [("other.test", False), (HOST, True)])
def test_a_certificate_for_another_host_or_another_time_is_refused(authority, name, expired):
    with origin({"/": answer(body=PNG)}, tls=authority.server(name, expired=expired)) as server:
        outbound = loopback_outbound(server.port, tls=authority.trusted())

        assert end_of(Fetcher(outbound), server.url("/")) == Code.FETCH_FAILED


def test_over_https_the_certificate_is_that_of_the_name_and_not_of_the_address(authority):
    with origin({"/a.png": answer(body=PNG)}, tls=authority.server("images.test")) as server:
        guard = Guard(
            networks=[ip_network("127.0.0.0/8")], ports=frozenset([server.port]), resolve=lambda host, port: [HOST]
        )

        fetched = Fetcher(Outbound(guard, tls=authority.trusted())).fetch(f"https://images.test:{server.port}/a.png")

    assert fetched.data == PNG


def test_over_https_the_deadline_holds_too(authority):
    faults = {"/drip": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"), "/silence": silence}
    with origin(faults, tls=authority.server(HOST)) as server:
        fetcher = Fetcher(loopback_outbound(server.port, tls=authority.trusted()), deadline=1)
        began = time.monotonic()

        assert [end_of(fetcher, server.url(path)) for path in faults] == ["RetryError", "RetryError"]
        assert time.monotonic() - began < 4


def test_a_handshake_that_never_comes_ends_with_the_deadline(authority):
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        fetcher = Fetcher(loopback_outbound(port, tls=authority.trusted()), deadline=1)
        began = time.monotonic()

        assert end_of(fetcher, f"https://{HOST}:{port}/") == "RetryError"
        assert time.monotonic() - began < 2
