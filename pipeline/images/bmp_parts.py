"""Reads the header of a BMP file (Microsoft, BITMAPFILEHEADER and BITMAPINFOHEADER to BITMAPV5HEADER).

Nothing is cut out: a BMP is always written anew as another format.
"""

from __future__ import annotations

import struct

from pipeline.errors import Code, RejectError
from pipeline.images.parts import Pieces

_INFO = 14
_SHORT_HEADER, _LONG_HEADER = 12, 40
_V5_HEADER = 124
_RUNS = frozenset({1, 2})
#: Pillow unpacks runs in Python: 16 megapixels of the worst kind take it about two seconds.
_MAX_RUN_PIXELS = 16_000_000
_MAX_RUN_BYTES = 16_000_000


def take_apart(data: bytes) -> Pieces:
    """The parts of the BMP in `data`; RejectError when its header ends early or its runs would take too long."""
    length = int.from_bytes(data[_INFO : _INFO + 4], "little")
    if len(data) < _INFO + length:
        raise RejectError(Code.TRUNCATED_IMAGE, "the BMP ends within its header")
    if length < _LONG_HEADER:
        size = struct.unpack_from("<HH", data, _INFO + 4)
        return Pieces(lead=(), body=(data,), needed=(data,), size=size)
    width, height = struct.unpack_from("<ii", data, _INFO + 4)
    (packing,) = struct.unpack_from("<I", data, _INFO + 16)
    size = abs(width), abs(height)
    if packing in _RUNS and (size[0] * size[1] > _MAX_RUN_PIXELS or len(data) > _MAX_RUN_BYTES):
        reason = f"a BMP in runs of {size[0]}×{size[1]} pixels in {len(data):,} bytes; the limit is 16 million of each"
        raise RejectError(Code.TOO_LARGE, reason)
    return Pieces(lead=(), body=(data,), needed=(data,), size=size, profile=_profile(data, length))


def _profile(data: bytes, length: int) -> bytes | None:
    if length < _V5_HEADER or data[_INFO + 56 : _INFO + 60] != b"DEBM":
        return None
    start, size = struct.unpack_from("<II", data, _INFO + 112)
    return data[_INFO + start : _INFO + start + size] or None
