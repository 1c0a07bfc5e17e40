"""The guards that keep tests on this machine really guard."""

from __future__ import annotations

import asyncio
import os
import socket

import boto3
import pytest
from playwright.sync_api import Error, Page

from tests.network_guard import NetworkBlockedError, is_loopback
from tests.safe_environment import CLOSED_ENDPOINT


@pytest.mark.browser
def test_the_browser_knows_no_name_outside_of_this_machine(page: Page):
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.com/")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "bucket.localhost", "0.0.0.0"])
def test_this_machine_may_be_reached(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "169.254.169.254", "2001:db8::1", "s3.amazonaws.com", "127.0.0.1.com"])
def test_other_machines_may_not_be_reached(host):
    assert not is_loopback(host)


def test_a_connection_to_another_machine_is_refused_before_a_packet_leaves():
    with socket.socket() as connection, pytest.raises(NetworkBlockedError, match="192.0.2.1"):
        connection.connect(("192.0.2.1", 80))


def test_a_datagram_to_another_machine_is_refused():
    with socket.socket(type=socket.SOCK_DGRAM) as connection, pytest.raises(NetworkBlockedError):
        connection.sendto(b"", ("192.0.2.1", 53))


def test_a_name_outside_is_not_looked_up():
    with pytest.raises(NetworkBlockedError, match="amazonaws"):
        socket.getaddrinfo("s3.amazonaws.com", 443)


def test_a_socket_in_a_folder_is_no_network(tmp_path):
    with socket.socket(socket.AF_UNIX) as connection, pytest.raises(FileNotFoundError):
        connection.connect(str(tmp_path / "nobody"))


def test_boto3_finds_only_the_fake_credentials_and_the_closed_endpoint():
    session = boto3.Session()
    credentials = session.get_credentials()

    assert credentials is not None and credentials.access_key == "testing"
    assert session.available_profiles == []
    assert session.client("s3").meta.endpoint_url == CLOSED_ENDPOINT


def test_the_state_of_the_person_who_runs_the_tests_is_out_of_reach():
    assert "image-pipeline-tests-" in os.environ["IMAGE_PIPELINE_HOME"]


def test_tests_with_an_event_loop_of_their_own_run_before_the_browser_starts_one():
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
