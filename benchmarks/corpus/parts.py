"""What a file is made of: the chunks, boxes, segments, blocks and entries that damage can move, and their lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Order = Literal["big", "little"]

#: Boxes that hold boxes, and how far into them these begin.
_CONTAINERS = {b"meta": 12, b"iprp": 8, b"ipco": 8, b"iref": 12, b"moov": 8, b"trak": 8, b"mdia": 8, b"minf": 8}


@dataclass(frozen=True)
class Part:
    """`data[start:end]` with all that belongs to it; its length is a number of `width` bytes at `length_at`."""

    start: int
    end: int
    length_at: int
    width: int
    order: Order


def parts(data: bytes) -> list[Part]:
    """In order; nothing for a format without parts, and no more than the first ones where the file is damaged."""
    walk = next((walk for matches, walk in _WALKS if matches(data)), None)
    return [part for part in walk(data) if part.end <= len(data)] if walk else []


def _png(data: bytes) -> Iterator[Part]:
    position = 8
    while position + 12 <= len(data):
        end = position + 12 + _number(data, position, 4, "big")
        yield Part(position, end, position, 4, "big")
        position = end


def _riff(data: bytes) -> Iterator[Part]:
    position = 12
    while position + 8 <= len(data):
        size = _number(data, position + 4, 4, "little")
        yield Part(position, position + 8 + size + size % 2, position + 4, 4, "little")
        position += 8 + size + size % 2


def _boxes(data: bytes, position: int = 0, end: int | None = None) -> Iterator[Part]:
    end = len(data) if end is None else end
    while position + 8 <= end:
        size = _number(data, position, 4, "big")
        if size < 8:
            return
        yield Part(position, position + size, position, 4, "big")
        inside = _CONTAINERS.get(data[position + 4 : position + 8])
        if inside:
            yield from _boxes(data, position + inside, min(position + size, end))
        position += size


def _segments(data: bytes) -> Iterator[Part]:
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        end = position + 2 + _number(data, position + 2, 2, "big")
        if data[position + 1] == 0xDA:
            # Pixels follow, and the tables of the next scan if there is one.
            end = data.find(b"\xff\xc4", end) if b"\xff\xc4" in data[end:] else len(data)
        yield Part(position, end, position + 2, 2, "big")
        position = end


def _blocks(data: bytes) -> Iterator[Part]:
    """A GIF's extensions and frames, each with the size of its first sub-block."""
    position = 13 + _gif_table(data, 10)
    while position + 11 <= len(data) and data[position] in (0x21, 0x2C):
        first = position + 2 if data[position] == 0x21 else position + 11 + _gif_table(data, position + 9)
        end = first
        while end < len(data) and data[end]:
            end += 1 + data[end]
        yield Part(position, end + 1, first, 1, "little")
        position = end + 1


def _gif_table(data: bytes, flags_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _entries(data: bytes) -> Iterator[Part]:
    """The entries of a TIFF's directories."""
    order: Order = "little" if data[:2] == b"II" else "big"
    position, seen = _number(data, 4, 4, order), set[int]()
    while 8 <= position < len(data) - 2 and position not in seen:
        seen.add(position)
        end = position + 2 + 12 * _number(data, position, 2, order)
        yield from (Part(at, at + 12, at + 4, 4, order) for at in range(position + 2, min(end, len(data) - 12), 12))
        position = _number(data, end, 4, order)


def _headers(data: bytes) -> Iterator[Part]:
    """A BMP's two headers."""
    yield Part(0, 14, 10, 4, "little")
    yield Part(14, 14 + _number(data, 14, 4, "little"), 14, 4, "little")


def _number(data: bytes, at: int, width: int, order: Order) -> int:
    return int.from_bytes(data[at : at + width], order)


_WALKS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Iterator[Part]]], ...] = (
    (lambda data: data.startswith(b"\x89PNG"), _png),
    (lambda data: data.startswith(b"RIFF"), _riff),
    (lambda data: data.startswith(b"\xff\xd8"), _segments),
    (lambda data: data.startswith(b"GIF8"), _blocks),
    (lambda data: data.startswith((b"II*\0", b"MM\0*")), _entries),
    (lambda data: data.startswith(b"BM"), _headers),
    (lambda data: data[4:8] == b"ftyp", _boxes),
)
