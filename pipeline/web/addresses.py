"""Which addresses a stranger's URL may lead to: an explicit list, since `ipaddress` knows only a part of it.

`is_private` and `is_global` of Python 3.11 let pass NAT64, 6to4, multicast, Azure's 168.63.129.16 and others. The list
is that of IANA's registries of special addresses (https://www.iana.org/assignments/iana-ipv4-special-registry and
iana-ipv6-special-registry); of IPv6 only 2000::/3 is given out at all, so the rest is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_DENIED_V4 = (
    "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # carriers' own, and clouds' metadata (100.100.100.200)
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # the wire server of Azure, in the midst of public addresses
    "169.254.0.0/16",  # link-local: metadata of instances and of containers
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments, and Oracle's metadata
    "192.0.2.0/24",  # documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # multicast tunnels
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",  # private
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
)
_DENIED_V6 = (
    "::/3",  # unspecified, loopback, IPv4 inside of IPv6 in five ways (for 64:ff9b::/96 see below)
    "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "2620:4f:8000::/48",  # AS112
    "3fff::/20",  # documentation
    "4000::/2",  # given out to nobody, segment routing
    "8000::/1",  # unique local, link-local, site-local, multicast; the metadata of AWS (fd00:ec2::254)
)
_DENIED: tuple[Network, ...] = tuple(ip_network(text) for text in (*_DENIED_V4, *_DENIED_V6))
#: Networks without IPv4 reach all of it through this prefix: the last 32 bits are where it really goes (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
#: The middle of an ISATAP address, whose last 32 bits are an IPv4 address behind a tunnel (RFC 5214).
_ISATAP = {0x0000_5EFE, 0x0200_5EFE}


def parse_address(text: str) -> Address:
    """The address that a connection to `text` reaches: an IPv4 address inside of `::ffff:0:0/96` is that address.

    A zone ("%eth0") is dropped. Raises ValueError for what is no address.
    """
    address = ip_address(text.partition("%")[0])
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def is_allowed(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether a stranger's URL may lead to `address`, as `parse_address` gives it: it is public, or in `allowed`."""
    return any(address in network for network in allowed) or is_public(address)


def is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
            return False
    return not any(address in network for network in _DENIED)
