"""MPO, several JPEG pictures in one file (CIPA DC-007): each is compressed, and the index follows them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from bulk.compress.jpeg_files import end_of
from pipeline.errors import Code, RejectError
from pipeline.images.formats import FORMATS
from pipeline.images.jpeg_parts import segments

_START = b"\xff\xd8"
_APP2 = 0xE2
_MARK = b"MPF\x00"
_ENTRIES = 0xB002
_ENTRY = 16
#: Cameras write two, a panorama some dozens. Each costs a walk through the rest of the file.
_MAX_PICTURES = 100
#: In the first picture's XMP: the lengths of those that follow it are said there too, as in Ultra HDR files.
_LENGTHS_ELSEWHERE = b"Item:Length"


@dataclass(frozen=True)
class Index:
    """The index of a file's pictures: where its own bytes count from, where its entries lie, and what they say."""

    origin: int
    entries: int
    order: str
    spans: tuple[tuple[int, int], ...]


def index_of(file: bytes) -> Index | None:
    """The index, where there is one and it names more than one picture. RejectError where it is broken."""
    origin = _origin(file)
    if origin is None:
        return None
    try:
        index = _read(file, origin)
    except (struct.error, KeyError) as error:
        raise RejectError(Code.CORRUPT_FILE, "the index of its pictures is broken") from error
    if any(end > start for (_, end), (start, _) in pairwise(index.spans)):
        raise RejectError(Code.CORRUPT_FILE, "the index of its pictures is broken")
    return index if len(index.spans) > 1 else None


def starts_of(file: bytes) -> tuple[int, ...]:
    """Where each picture begins, as the index says; only 0 where there is none. RejectError where it is broken."""
    origin = _origin(file)
    if origin is None:
        return (0,)
    try:
        return _table(file, origin)[2]
    except (struct.error, KeyError) as error:
        raise RejectError(Code.CORRUPT_FILE, "the index of its pictures is broken") from error


def rebuilt(file: bytes, index: Index, compressed: Callable[[bytes], bytes]) -> bytes:
    """`file` with each picture as `compressed` makes it; what lies between and behind them stays.

    Pictures whose lengths are also said where we do not write stay as they are, except for the first.
    """
    first = file[: index.spans[0][1]]
    only_first = _LENGTHS_ELSEWHERE in first
    made = [
        file[start:end] if only_first and number else compressed(file[start:end])
        for number, (start, end) in enumerate(index.spans)
    ]
    gaps = [file[end:start] for (_, end), (start, _) in zip(index.spans, index.spans[1:], strict=False)]
    written, spans = b"", []
    for one, gap in zip(made, [*gaps, file[index.spans[-1][1] :]], strict=True):
        spans.append((len(written), len(one)))
        written += one + gap
    return _with_entries(written, index, spans)


def sizes(file: bytes) -> list[tuple[int, int]]:
    """The size of each picture, all of them decoded to their ends. ValueError where the index names none."""
    index = index_of(file)
    if index is None:
        raise ValueError("it came out without an index")
    return [_decoded_size(file[start:end]) for start, end in index.spans]


def _decoded_size(picture: bytes) -> tuple[int, int]:
    image = FORMATS["JPEG"].opened(picture)
    size = image.size
    image.draft(image.mode, (size[0] // 8, size[1] // 8))
    image.load()
    return size


def _origin(file: bytes) -> int | None:
    marked = (start + 4 for marker, start, _ in segments(file) if marker == _APP2)
    return next((start + len(_MARK) for start in marked if file.startswith(_MARK, start)), None)


def _read(file: bytes, origin: int) -> Index:
    order, entries, starts = _table(file, origin)
    return Index(origin, entries, order, tuple((start, _end(file, start)) for start in starts))


def _table(file: bytes, origin: int) -> tuple[str, int, tuple[int, ...]]:
    """(byte order, where the entries lie, where the pictures begin)."""
    order = {b"II*\0": "<", b"MM\0*": ">"}[file[origin : origin + 4]]
    (directory,) = struct.unpack_from(order + "I", file, origin + 4)
    (count,) = struct.unpack_from(order + "H", file, origin + directory)
    fields = {}
    for number in range(count):
        tag, _, length, value = struct.unpack_from(order + "HHII", file, origin + directory + 2 + 12 * number)
        fields[tag] = (length, value)
    length, value = fields[_ENTRIES]
    if length > _MAX_PICTURES * _ENTRY:
        raise RejectError(Code.TOO_LARGE, f"its index names more than {_MAX_PICTURES} pictures")
    entries = origin + value
    found = (struct.unpack_from(order + "III", file, entries + at)[1:] for at in range(0, length, _ENTRY))
    # The first picture's offset is said to be 0; the others count from the index. Writers disagree about sizes.
    starts = tuple(origin + offset if offset else 0 for _, offset in found)
    if list(starts) != sorted({0, *starts}):
        raise KeyError("its pictures do not follow one another")
    return order, entries, starts


def _end(file: bytes, start: int) -> int:
    if not file.startswith(_START, start):
        raise KeyError("no picture begins there")
    return start + end_of(file[start:])


def _with_entries(written: bytes, index: Index, spans: list[tuple[int, int]]) -> bytes:
    """`written` with its index saying where the pictures are now."""
    origin = _origin(written)
    if origin is None:
        raise ValueError("it came out without an index")
    file = bytearray(written)
    for number, (start, size) in enumerate(spans):
        at = origin + (index.entries - index.origin) + _ENTRY * number + 4
        struct.pack_into(index.order + "II", file, at, size, start - origin if number else 0)
    return bytes(file)
