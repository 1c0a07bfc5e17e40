"""The few EXIF facts that we use or keep, read and written by ourselves (TIFF 6.0; CIPA DC-008 "Exif 3.0").

Pillow's reader warns through `warnings`, whose filters belong to the process: in threads it could be neither silenced
nor heard. This one reads seven tags, never fails, and takes a damaged block for none.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

_MODEL, _ORIENTATION, _ARTIST, _COPYRIGHT, _EXIF_IFD = 0x0110, 0x0112, 0x013B, 0x8298, 0x8769
_DATE_TIME_ORIGINAL, _OFFSET_TIME_ORIGINAL = 0x9003, 0x9011
_OURS = frozenset({_MODEL, _ORIENTATION, _ARTIST, _COPYRIGHT, _EXIF_IFD, _DATE_TIME_ORIGINAL, _OFFSET_TIME_ORIGINAL})
#: Bytes of one value, by TIFF type: BYTE, ASCII, SHORT, LONG, UTF-8; no tag of ours has another.
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 129: 1}
_ASCII, _SHORT, _UTF_8 = 2, 3, 129
_TEXTS = (_ASCII, _UTF_8)
#: Bytes of a text: two of them have to fit into one segment of a JPEG. What is longer is left out, not cut.
_MAX_TEXT = 30_000
_MAX_MODEL = 100

_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d")

Tags = dict[int, bytes | int]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What EXIF says. `orientation` 1–8; `taken_at` ISO 8601, with its offset where one is given.

    `rights`: tag and text of Artist and Copyright. `size`: bytes of the block that was read.
    """

    orientation: int = 1
    taken_at: str | None = None
    camera_model: str | None = None
    rights: tuple[tuple[int, bytes], ...] = ()
    size: int = 0

    def fresh_block(self, *, orientation: int) -> bytes | None:
        """A TIFF block with the rights and `orientation` only, never longer than the one read; None without either."""
        block = _block(orientation, self.rights)
        if block is not None and len(block) > self.size:
            return _block(orientation, ())
        return block


def read_exif(block: bytes | None) -> Metadata:
    """What the TIFF block of an EXIF segment says; a block that is damaged or absent says nothing."""
    try:
        tags, more = _tags(block) if block else ({}, {})
    except (struct.error, KeyError, IndexError):
        return Metadata()
    rights = ((_ARTIST, _text(tags.get(_ARTIST))), (_COPYRIGHT, _both_parts(tags.get(_COPYRIGHT))))
    orientation = tags.get(_ORIENTATION)
    return Metadata(
        orientation=orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        taken_at=_moment(_text(more.get(_DATE_TIME_ORIGINAL)), _text(more.get(_OFFSET_TIME_ORIGINAL))),
        camera_model=_clean(_text(tags.get(_MODEL))) or None,
        rights=tuple((tag, text) for tag, text in rights if text),
        size=len(block or b""),
    )


def _tags(block: bytes) -> tuple[Tags, Tags]:
    """The tags of the main directory and those of the Exif directory, which may be damaged on its own."""
    order: Literal["<", ">"] = {b"II*\x00": "<", b"MM\x00*": ">"}[block[:4]]  # type: ignore[assignment]
    tags = _directory(block, order, struct.unpack_from(order + "I", block, 4)[0])
    pointer = tags.get(_EXIF_IFD)
    try:
        return tags, _directory(block, order, pointer) if isinstance(pointer, int) else {}
    except struct.error:
        return tags, {}


def _directory(block: bytes, order: str, offset: int) -> Tags:
    (count,) = struct.unpack_from(order + "H", block, offset)
    # A directory ends with four bytes; without them it is cut off, and nothing of ours could be as short.
    struct.unpack_from(order + "I", block, offset + 2 + 12 * count)
    found: Tags = {}
    for index in range(count):
        tag, kind, number, inline = struct.unpack_from(order + "HHI4s", block, offset + 2 + 12 * index)
        # Of a tag that comes twice the first counts: thousands of entries may all say the same megabyte.
        if tag in _OURS and tag not in found:
            value = _value(block, order, kind, number, inline)
            if value is not None:
                found[tag] = value
    return found


def _value(block: bytes, order: str, kind: int, number: int, inline: bytes) -> bytes | int | None:
    length = _WIDTHS.get(kind, 0) * number
    if not length or length > _MAX_TEXT:
        return None
    if length > 4:
        (start,) = struct.unpack(order + "I", inline)
        whole = start + length <= len(block)
        return block[start : start + length] if kind in _TEXTS and whole else None
    if kind in _TEXTS:
        return inline[:length]
    return int(struct.unpack_from(order + {1: "B", 3: "H", 4: "I"}[kind], inline)[0])


def _text(value: bytes | int | None) -> bytes:
    return value.split(b"\x00")[0].strip() if isinstance(value, bytes) else b""


def _both_parts(value: bytes | int | None) -> bytes:
    """A copyright as it stands: of the photographer and, behind a NUL, of the editor; a space stands for neither."""
    text = value.rstrip(b"\x00 ") if isinstance(value, bytes) else b""
    return text if text.strip(b"\x00 ") else b""


def _moment(date: bytes, offset: bytes) -> str | None:
    found = _DATE.fullmatch(date.decode("ascii", "replace"))
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second).isoformat()
    except ValueError:
        return None
    zone = offset.decode("ascii", "replace")
    return moment + zone if _OFFSET.fullmatch(zone) else moment


def _clean(text: bytes) -> str:
    """One line without control, format or unassigned characters: it is shown to people and written to logs."""
    try:
        line = text.decode("utf-8")
    except UnicodeDecodeError:
        line = text.decode("latin-1")
    shown = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in line)
    return " ".join(shown.split())[:_MAX_MODEL].rstrip()


def _block(orientation: int, rights: tuple[tuple[int, bytes], ...]) -> bytes | None:
    entries: list[tuple[int, int, int, bytes]] = []
    if orientation != 1:
        entries.append((_ORIENTATION, _SHORT, 1, struct.pack(">HH", orientation, 0)))
    entries += [(tag, _ASCII, len(text) + 1, text + b"\x00") for tag, text in rights]
    if not entries:
        return None
    directory, heap = b"", b""
    heap_start = 8 + 2 + 12 * len(entries) + 4
    for tag, kind, number, value in sorted(entries):
        inline = value.ljust(4, b"\x00") if len(value) <= 4 else struct.pack(">I", heap_start + len(heap))
        directory += struct.pack(">HHI", tag, kind, number) + inline
        if len(value) > 4:
            heap += value + b"\x00" * (len(value) % 2)
    return struct.pack(">4sIH", b"MM\x00*", 8, len(entries)) + directory + bytes(4) + heap
