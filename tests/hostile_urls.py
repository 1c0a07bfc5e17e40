"""URLs that lead into our own network, in every disguise that parsers and resolvers are known to take."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address
from urllib.parse import quote

#: Loopback, private networks, and where clouds keep credentials: AWS, ECS, Azure, Alibaba, Oracle.
V4 = (
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
)
V6 = (
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "0000:0000:0000:0000:0000:0000:0000:0001",
    "fc00::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fe80::1",
    "fe80::a9fe:a9fe%25lo",
    "fec0::1",
    "ff02::1",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
)
PORTS = (1, 22, 25, 53, 111, 2049, 2375, 3306, 4566, 5432, 6379, 8080, 9001, 9200, 11211, 27017)
FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")  # noqa: RUF001
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
PUBLIC = "93.184.215.14"


def spellings(address: str) -> list[str]:
    """An IPv4 address as hosts of URLs may spell it; resolvers take most of them."""
    number = int(IPv4Address(address))
    a, b, c, d = IPv4Address(address).packed
    return [
        address,
        f"{address}.",
        str(number),
        hex(number),
        f"0X{number:X}",
        f"0{number:o}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:#x}.{b}.0{c:o}.{d}",
        f"{a:#x}.{number & 0xFFFFFF:#x}",
        f"00000{a:o}.{b}.{c}.{d}",
        str(number + (1 << 32)),
        f"{a + 256}.{b}.{c}.{d}",
        address.translate(FULL_WIDTH),
        address.translate(CIRCLED),
        address.replace(".", "。"),
        "".join(f"%{ord(character):02x}" for character in address),
        address.replace(".", "%2e"),
    ]


def embedded(address: str) -> list[str]:
    """An IPv4 address inside of IPv6 ones: mapped, compatible, SIIT, NAT64, 6to4, Teredo, ISATAP."""
    number = int(IPv4Address(address))
    high, low = number >> 16, number & 0xFFFF
    hidden = number ^ 0xFFFFFFFF
    return [
        f"::ffff:{address}",
        f"::ffff:{high:x}:{low:x}",
        f"0:0:0:0:0:ffff:{high:x}:{low:x}",
        f"::{address}",
        f"::ffff:0:{address}",
        f"64:ff9b::{address}",
        f"64:ff9b::{high:x}:{low:x}",
        f"64:ff9b:1::{address}",
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:4136:e378:8000:63bf:{hidden >> 16:x}:{hidden & 0xFFFF:x}",
        f"fe80::5efe:{address}",
        f"2607:f8b0::5efe:{address}",
        f"2607:f8b0::200:5efe:{address}",
    ]


def hosts() -> list[str]:
    """All of them as they stand in a URL."""
    v4 = [spelling for address in V4 for spelling in spellings(address)]
    v6 = [f"[{address}]" for address in V6]
    inside = [f"[{address}]" for target in V4 for address in embedded(target)]
    return [*v4, *v6, *inside, "localhost", "LOCALHOST", "localhost.", "metadata.test", "mixed4.test", "mixed6.test"]


def urls() -> list[str]:
    return list(dict.fromkeys([*_plain(), *_disguised(), *_other_ports(), *_other_schemes()]))


def _plain() -> Iterator[str]:
    for host in hosts():
        yield f"http://{host}/latest/meta-data/"
        yield f"https://{host}/"


def _disguised() -> Iterator[str]:
    for host in ("127.0.0.1", "169.254.169.254", "[::1]", "2130706433", "metadata.test"):
        yield f"http://{PUBLIC}@{host}/"
        yield f"http://user:password@{host}/"
        yield f"http://{PUBLIC}:80@{host}:80/"
        yield f"http://{PUBLIC}%40{host}/"
        yield f"http://nobody.test\\@{host}/"
        yield f"http://{host}#@{PUBLIC}/"
        yield f"http://{host}?@{PUBLIC}/"
        yield f"http://{host}/@{PUBLIC}/"
        yield f"http://{host}\x00.{PUBLIC}/"
        yield f"http://{host}%00.{PUBLIC}/"
        yield f"http://{host}\t/"
        yield f"http://{host}\r\nHost: {PUBLIC}/"
        yield f"http://{host}/\r\nX: y"
        yield f"http://{host}:80:443/"
        yield f"http://{host}:00080/"
        yield f"http://{host}:+80/"
        yield f"http:/{host}/"
        yield f"http:///{host}/"
        yield f"http:{host}/"
        yield f"//{host}/"
        yield f"{host}/"
        yield f"  http://{host}/  "
        yield f"HTTP://{host}/"
        yield f"hTTps://{host}/"


def _other_ports() -> Iterator[str]:
    for port in PORTS:
        yield f"http://127.0.0.1:{port}/"
        yield f"http://{PUBLIC}:{port}/"
        yield f"https://{PUBLIC}:{port}/"


def _other_schemes() -> Iterator[str]:
    for scheme in ("file", "ftp", "gopher", "dict", "ldap", "jar:http", "data", "javascript", "ws", "s3", "http+unix"):
        yield f"{scheme}://127.0.0.1/"
        yield f"{scheme}://{PUBLIC}/etc/passwd"
    yield from (
        "file:///etc/passwd",
        "/etc/passwd",
        "data:image/png;base64,AAAA",
        "",
        " ",
        "http://",
        "http://[",
        "N/A",
    )


def redirected(code: int, depth: int, target: str) -> str:
    """A URL of the origin in the room of canaries that leads to `target` over `depth` redirects."""
    return f"http://{PUBLIC}/redirect/{code}/{depth}/{quote(target, safe='')}"


def public_addresses() -> list[str]:
    """A hundred that must never be refused: well-known ones, and the neighbours of all that is refused."""
    known = "1.1.1.1 8.8.8.8 9.9.9.9 4.2.2.1 13.32.0.1 52.95.128.1 54.231.0.1 142.250.1.1 151.101.1.1 185.15.59.224"
    neighbours = (
        "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 "
        "168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 "
        "192.31.195.255 192.31.197.0 192.52.192.255 192.52.194.0 192.88.98.255 192.88.100.0 192.167.255.255 "
        "192.169.0.0 192.175.47.255 192.175.49.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 "
        "203.0.112.255 203.0.114.0 223.255.255.255"
    )
    v6 = (
        "2000::1 2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2001:ffff::1 2003::1 2400:cb00::1 "
        "2600:9000::1 2606:4700::1111 2620:4f:7fff::1 2620:4f:8001::1 2620:fe::fe 2804::1 2a00:1450::1 2a02:26f0::1 "
        "2c0f:fb50::1 3ffe::1 3ffe:ffff::1 64:ff9b::808:808 2607:f8b0::5efd:7f00:1 ::ffff:8.8.8.8"
    )
    listed = [*known.split(), *neighbours.split(), *(f"[{address}]" for address in v6.split())]
    spread = [str(IPv4Address(struct.pack("!4B", first, 77, 7, 7))) for first in range(12, 224, 5) if first != 127]
    return [*listed, *spread][:100]
