"""Reads the first directory of a TIFF file (Adobe, "TIFF Revision 6.0"), without decoding.

The decoder gets the file with a directory of ours, in which only the tags stand that pixels need: it meets no metadata,
no second page, and no counts that a few bytes could claim. A TIFF is always written anew as another format.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from pipeline.errors import Code, RejectError
from pipeline.images.options import Limits
from pipeline.images.parts import Pieces

_WIDTH, _HEIGHT, _BITS, _SAMPLES, _ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 258, 277, 278, 322, 323
_WHITE, _PROFILE = 262, 34675
_SHORT, _BLACK_IS_ZERO = 3, 1
#: Size, depth, compression, colours, orientation of bits, strips, tiles, palettes, JPEG tables, YCbCr, LERC.
# fmt: off
_NEEDED = frozenset({
    256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 318, 320, 322, 323, 324, 325, 332, 338, 339,
    347, 512, 513, 514, 515, 519, 520, 521, 529, 530, 531, 532, 50674,
})
# fmt: on
#: Bytes of one value, by type.
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_LETTERS = {1: "B", 3: "H", 4: "I"}
#: libtiff takes signed types, too: what we could not read it would.
_SIZES = frozenset({_WIDTH, _HEIGHT, _BITS, _SAMPLES, _ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT})
_ENTRY = 12
_MAX_VALUES = 300_000
#: libtiff unpacks a whole strip or tile at once.
_MAX_STRIP_BYTES = 400_000_000

Entries = Mapping[int, tuple[int, int, bytes]]


def take_apart(data: bytes, limits: Limits) -> Pieces:
    """The parts of the first page in `data`; RejectError when it ends early, is broken or beyond `limits`."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        entries = _directory(data, order)
        size = _number(data, order, entries, _WIDTH), _number(data, order, entries, _HEIGHT)
        _require_small_strips(data, order, entries, size, limits)
    except struct.error:
        raise RejectError(Code.TRUNCATED_IMAGE, "the TIFF ends within its directory") from None
    depth = _number(data, order, entries, _BITS, 1)
    # Pillow turns gray of 1 to 8 bits around by itself, and more of it in one order of bytes only.
    negative = _number(data, order, entries, _WHITE, 1) == 0 and depth in (12, 16)
    if negative:
        entries = {**entries, _WHITE: (_SHORT, 1, struct.pack(order + "HH", _BLACK_IS_ZERO, 0))}
    place = len(data) + len(data) % 2
    head = data[:4] + struct.pack(order + "I", place)
    whole = (head, memoryview(data)[8:], bytes(len(data) % 2), _packed(order, entries))
    return Pieces(
        lead=(),
        body=(data,),
        needed=whole,
        size=size,
        exif=data,
        profile=_bytes(data, order, entries, _PROFILE),
        depth=depth,
        negative=negative,
    )


def _directory(data: bytes, order: str) -> Entries:
    """(type, count, raw value or place) by tag; of a tag that comes twice, the first."""
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    entries: dict[int, tuple[int, int, bytes]] = {}
    for index in range(count):
        tag, kind, number, value = struct.unpack_from(order + "HHI4s", data, start + 2 + _ENTRY * index)
        if tag in _SIZES and kind not in _LETTERS:
            raise RejectError(Code.CORRUPT_FILE, f"the TIFF has its tag {tag} in the type {kind}, which it never has")
        if tag in _NEEDED | {_PROFILE} and kind in _WIDTHS:
            _require_whole(data, order, tag, _WIDTHS[kind] * number, value)
            entries.setdefault(tag, (kind, number, value))
    return entries


def _require_whole(data: bytes, order: str, tag: int, length: int, value: bytes) -> None:
    if length > len(data) or (length > 4 and struct.unpack(order + "I", value)[0] + length > len(data)):
        raise RejectError(Code.TRUNCATED_IMAGE, f"the TIFF ends before the values of its tag {tag}")


def _number(data: bytes, order: str, entries: Entries, tag: int, default: int = 0) -> int:
    """The first value of a tag; 0 where it is none."""
    kind, count, value = entries.get(tag, (0, 0, b""))
    if kind not in _LETTERS or not count:
        return default
    inline = _WIDTHS[kind] * count <= 4
    place = 0 if inline else struct.unpack(order + "I", value)[0]
    return int(struct.unpack_from(order + _LETTERS[kind], value if inline else data, place)[0])


def _bytes(data: bytes, order: str, entries: Entries, tag: int) -> bytes | None:
    kind, count, value = entries.get(tag, (0, 0, b""))
    if kind not in (1, 7) or count <= 4:
        return None
    (place,) = struct.unpack(order + "I", value)
    return data[place : place + count]


def _require_small_strips(data: bytes, order: str, entries: Entries, size: tuple[int, int], limits: Limits) -> None:
    for tag, (_, count, _) in entries.items():
        if count > _MAX_VALUES and tag != _PROFILE:
            raise RejectError(
                Code.TOO_LARGE, f"the TIFF has {count:,} values in its tag {tag}; the limit is {_MAX_VALUES:,}"
            )
    width = _number(data, order, entries, _TILE_WIDTH, size[0])
    height = _number(data, order, entries, _TILE_HEIGHT) or min(
        size[1], _number(data, order, entries, _ROWS_PER_STRIP, size[1])
    )
    sample = max(8, _number(data, order, entries, _BITS, 1)) // 8
    unpacked = width * height * sample * _number(data, order, entries, _SAMPLES, 1)
    if width * height > limits.max_pixels or unpacked > _MAX_STRIP_BYTES:
        raise RejectError(Code.TOO_LARGE, f"the TIFF has strips or tiles of {width}×{height} pixels")


def _packed(order: str, entries: Entries) -> bytes:
    kept = sorted((tag, entry) for tag, entry in entries.items() if tag in _NEEDED)
    rows = (struct.pack(order + "HHI4s", tag, kind, count, value) for tag, (kind, count, value) in kept)
    return struct.pack(order + "H", len(kept)) + b"".join(rows) + bytes(4)
