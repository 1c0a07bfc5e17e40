from ipaddress import ip_network

import pytest

from pipeline.web.addresses import is_allowed, parse_address
from tests.hostile_urls import V4, V6, embedded, public_addresses

INSIDE = [*V4, *(address.replace("%25", "%") for address in V6), *(one for address in V4 for one in embedded(address))]


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_in_our_own_network_is_refused(text):
    assert not is_allowed(parse_address(text))


@pytest.mark.parametrize("text", public_addresses())
def test_a_public_address_is_allowed(text):
    assert is_allowed(parse_address(text.strip("[]")))


def test_a_network_that_was_named_is_allowed_and_its_neighbour_is_not():
    named = [ip_network("10.1.0.0/16"), ip_network("fd00::/64")]

    assert is_allowed(parse_address("10.1.2.3"), named)
    assert is_allowed(parse_address("::ffff:10.1.2.3"), named)
    assert is_allowed(parse_address("fd00::7"), named)
    assert not is_allowed(parse_address("10.2.0.0"), named)
    assert not is_allowed(parse_address("64:ff9b::10.1.2.3"), named)


@pytest.mark.parametrize("text", ["", "127.1", "0x7f000001", "localhost", "[::1]", "1.2.3.4/8"])
def test_what_is_no_address_is_none(text):
    with pytest.raises(ValueError, match="address"):
        parse_address(text)
