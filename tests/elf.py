"""What a shared library (64-bit, little-endian ELF) says it runs on, read from its headers.

Layout: the System V ABI, chapter 4, and "Symbol versioning" in the Linux Standard Base.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}
_NEEDED_VERSIONS = 0x6FFFFFFE


def machine(data: bytes) -> str:
    """The processor, as Lambda spells it."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    number = struct.unpack_from("<H", data, 18)[0]
    return MACHINES.get(number, f"machine {number}")


def newest(data: bytes, library: str) -> tuple[int, ...]:
    """The newest version of `library`, "GLIBC" or "GLIBCXX", that a symbol asks for; (0,) when none does."""
    asked = (re.fullmatch(rf"{library}_([\d.]+)", name) for name in needed_versions(data))
    return max((tuple(map(int, found[1].split("."))) for found in asked if found), default=(0,))


def needed_versions(data: bytes) -> Iterator[str]:
    """The names of all versions of symbols that other libraries must have."""
    sections = list(_sections(data))
    for kind, offset, _, link, count in sections:
        if kind == _NEEDED_VERSIONS:
            names = sections[link][1]
            for entry in _chain(data, offset, count, 12):
                in_it, first = struct.unpack_from("<2xH4xI", data, entry)
                for version in _chain(data, entry + first, in_it, 12):
                    yield _text(data, names + struct.unpack_from("<I", data, version + 8)[0])


def _sections(data: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Kind, offset, size, link and info of each section."""
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    for number in range(count):
        yield struct.unpack_from("<4xI16xQQII", data, start + number * size)


def _chain(data: bytes, offset: int, count: int, next_at: int) -> Iterator[int]:
    """The offsets of `count` entries, each of which says how far the next one is."""
    for _ in range(count):
        yield offset
        offset += struct.unpack_from("<I", data, offset + next_at)[0]


def _text(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode("ascii")
