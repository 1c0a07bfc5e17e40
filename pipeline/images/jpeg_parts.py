"""Takes a JPEG file apart by its markers (ITU-T T.81, annex B), in one pass and without decoding.

Kept are the segments that pixels need, a JFIF header without its preview and Adobe's APP14, which says how colours are
stored. Everything else goes, and so does what follows the end marker: further pictures of an MPO, videos, notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.errors import Code, RejectError
from pipeline.images.parts import Piece, Pieces

_START = b"\xff\xd8"
_END = b"\xff\xd9"
_EXIF = b"Exif\x00\x00"
_ICC = b"ICC_PROFILE\x00"

_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
#: Frames, tables, arithmetic conditioning, restart interval, number of lines, scans.
_PIXEL_MARKERS = frozenset({*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD}) - {0xC8}
#: Markers that stand alone: TEM and the restarts, which mean nothing outside a scan.
_LONELY = frozenset({0x01, *range(0xD0, 0xD8)})
_RESERVED = frozenset(range(0x02, 0xC0))

#: A marker, after any number of fill bytes.
_MARKER = re.compile(rb"\xff([\x01-\xfe])", re.DOTALL)
#: Where the data of a scan ends: 0xFF00 and the restarts belong to it.
_AFTER_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]", re.DOTALL)

#: Cameras write some dozens of segments; a file of many millions would only burn time.
_MAX_SEGMENTS = 20_000
_JFIF_LENGTH = 14
_ADOBE_LENGTH = 12


def take_apart(data: bytes, *, max_scans: int) -> Pieces:
    """The parts of the first picture in `data`; RejectError when it ends early, is broken or has too many scans."""
    found = _Found()
    view = memoryview(data)
    for marker, start, end in segments(data):
        found.take(marker, view[start:end])
        if found.scans > max_scans:
            raise RejectError(Code.TOO_LARGE, f"the JPEG has more than {max_scans} scans")
    if not found.scans:
        raise RejectError(Code.CORRUPT_FILE, "the JPEG holds no picture")
    return found.parts()


@dataclass
class _Found:
    """What has been met on the way through the file."""

    jfif: list[Piece] = field(default_factory=list)
    body: list[Piece] = field(default_factory=list)
    profile_pieces: list[memoryview] = field(default_factory=list)
    exif: bytes | None = None
    scans: int = 0

    def take(self, marker: int, segment: memoryview) -> None:
        payload = segment[4:]
        begin = bytes(payload[:12])
        if marker in _PIXEL_MARKERS:
            self.body.append(segment)
            self.scans += marker == _SOS
        elif marker == _APP0 and begin.startswith(b"JFIF\x00") and len(payload) >= _JFIF_LENGTH and not self.jfif:
            self.jfif.append(_without_preview(payload))
        elif marker == _APP14 and begin.startswith(b"Adobe") and len(payload) >= _ADOBE_LENGTH:
            self.body.append(_segment(marker, bytes(payload[:_ADOBE_LENGTH])))
        elif marker == _APP1 and begin.startswith(_EXIF) and self.exif is None:
            self.exif = bytes(payload[6:])
        elif marker == _APP2 and begin == _ICC:
            self.profile_pieces.append(segment)

    def parts(self) -> Pieces:
        pixels = (*self.body, _END)
        profile = _profile(self.profile_pieces)
        return Pieces(
            lead=(_START, *self.jfif),
            body=pixels,
            needed=pixels,
            wrap_exif=_wrap_exif,
            exif=self.exif,
            profile=profile,
            profile_pieces=tuple(self.profile_pieces) if profile else (),
        )


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of every segment before the end marker; a scan's segment includes its data."""
    position = len(_START)
    for _ in range(_MAX_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None:
            raise RejectError(Code.TRUNCATED_IMAGE, "the JPEG has no end marker")
        marker, start = found[1][0], found.start()
        position = found.end()
        if marker == _EOI:
            return
        if marker not in _LONELY:
            position = _segment_end(data, marker, start)
            yield marker, start, position
    raise RejectError(Code.TOO_LARGE, f"the JPEG has more than {_MAX_SEGMENTS} segments")


def _segment_end(data: bytes, marker: int, start: int) -> int:
    if marker == _SOI or marker in _RESERVED:
        raise RejectError(Code.CORRUPT_FILE, f"the JPEG has the marker 0xFF{marker:02X} where none may be")
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    if start + 2 + length > len(data) or start + 4 > len(data):
        raise RejectError(Code.TRUNCATED_IMAGE, "the JPEG ends within a segment")
    if length < 2:
        raise RejectError(Code.CORRUPT_FILE, f"the JPEG has a segment of length {length}")
    end = start + 2 + length
    return _scan_end(data, end) if marker == _SOS else end


def _scan_end(data: bytes, start: int) -> int:
    found = _AFTER_SCAN.search(data, start)
    if found is None:
        raise RejectError(Code.TRUNCATED_IMAGE, "the JPEG ends within its pixels")
    return found.start()


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _wrap_exif(block: bytes) -> bytes:
    return _segment(_APP1, _EXIF + block)


def _without_preview(jfif: memoryview) -> bytes:
    """JFIF's version and resolution; the preview that may follow is a picture of its own: its size becomes 0×0."""
    return _segment(_APP0, bytes(jfif[: _JFIF_LENGTH - 2]) + b"\x00\x00")


def _profile(chunks: list[memoryview]) -> bytes | None:
    """The ICC profile from its numbered chunks (ICC.1, annex B.4), or None where one is missing."""
    numbered = {chunk[16]: bytes(chunk[18:]) for chunk in chunks if len(chunk) >= 18}
    if not numbered or sorted(numbered) != list(range(1, len(chunks) + 1)):
        return None
    return b"".join(numbered[number] for number in sorted(numbered))
