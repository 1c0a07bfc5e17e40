"""Nothing inside of our own network is ever connected to, whatever a stranger writes into a message.

The canaries listen on every address in a network of their own (tests/canary_room.py), so a connection that should not
be made is seen wherever it goes, and one that should be made succeeds.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.canary_room import ask, enter
from tests.hostile_urls import PUBLIC, public_addresses, redirected, urls

CODES = (301, 302, 303, 307, 308)
TARGETS = (
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://2130706433/",
    "http://metadata.test/",
    "http://mixed4.test/",
    f"http://{PUBLIC}:6379/",
    "//0x7f.1/",
    "file:///etc/passwd",
)


def can_enter() -> bool:
    tools = shutil.which("unshare") and shutil.which("ip")
    return bool(tools) and subprocess.run([*enter()[:2], "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(
    not (can_enter() or os.environ.get("CI") == "true"), reason="needs unshare, ip and the right to use them"
)


@pytest.mark.parametrize("verb", ["fetch", "postback"])
def test_no_spelling_of_an_address_in_our_network_is_connected_to(verb):
    hostile = urls()

    seen = ask(hostile, verb=verb)

    assert len(hostile) > 700
    assert seen["reached"] == []
    assert {
        url: outcome for url, outcome in zip(hostile, seen["outcomes"], strict=True) if outcome != "URL_REFUSED"
    } == {}


def test_no_redirect_leads_into_our_network_however_deep():
    hostile = [redirected(code, depth, target) for code in CODES for depth in range(1, 6) for target in TARGETS]

    seen = ask(hostile)

    assert set(seen["reached"]) == {PUBLIC}
    assert set(seen["outcomes"]) == {"URL_REFUSED"}


def test_five_redirects_are_followed_and_a_sixth_is_not():
    seen = ask([redirected(302, depth, f"http://{PUBLIC}/end") for depth in (5, 6)])

    assert seen["outcomes"] == ["reached", "FETCH_FAILED"]


def test_a_hundred_public_addresses_are_connected_to():
    addresses = public_addresses()

    seen = ask([f"http://{address}/" for address in addresses])

    assert len(set(addresses)) == 100
    assert seen["outcomes"] == ["reached"] * 100
    assert len(seen["reached"]) == 100


def test_a_name_is_looked_up_once_for_a_connection_and_connected_to_at_what_was_checked():
    seen = ask(["http://rebinding.test/"])

    assert seen["outcomes"] == ["reached"]
    assert seen["reached"] == [PUBLIC]
    assert seen["asked"] == {"rebinding.test": 1}


@pytest.mark.parametrize("name", ["rebinding.test", "rebinding-back.test"])
def test_a_resolver_that_changes_its_mind_never_leads_inside(name):
    seen = ask([f"http://{name}/"] * 20)

    assert set(seen["reached"]) == {PUBLIC}
    assert set(seen["outcomes"]) == {"reached", "URL_REFUSED"}


def test_one_forbidden_address_among_public_ones_and_the_name_is_refused():
    seen = ask(["http://mixed4.test/", "http://mixed6.test/", "http://public.test/"])

    assert seen["outcomes"] == ["URL_REFUSED", "URL_REFUSED", "reached"]


def test_the_canaries_sing_where_the_way_was_opened():
    inside = ["http://127.0.0.1/", "http://169.254.169.254/", "http://169.254.170.2/", "http://[::1]/"]

    seen = ask(inside, allowed=("127.0.0.0/8", "169.254.0.0/16", "::1/128"))

    assert sorted(seen["reached"]) == ["127.0.0.1", "169.254.169.254", "169.254.170.2", "::1"]
