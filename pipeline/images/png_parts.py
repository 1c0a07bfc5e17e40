"""Takes a PNG file apart by its chunks (PNG specification, third edition, W3C), in one pass and without decoding.

Kept are the chunks that pixels, colours and resolution need, and an animation's. Text, time, EXIF, private and unknown
ancillary chunks go, and so does what follows IEND. Nothing is decompressed here except the ICC profile, up to a limit.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.errors import Code, RejectError
from pipeline.images.parts import Piece, Pieces, Timing

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset({b"PLTE", b"tRNS", b"IDAT"})
ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
#: What says how the samples are to be shown. An ICC profile outranks gAMA and cHRM.
_EXTRAS = frozenset({b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs"})
_OUTRANKED = frozenset({b"gAMA", b"cHRM"})

#: Encoders write chunks of 8 kB and more; a file of many millions would only burn time and memory.
_MAX_CHUNKS = 100_000
_MAX_PROFILE = 4_000_000
_FRAME = 12  # bytes of length, type and checksum
_AT_ONCE = 1_000_000

#: Samples of a pixel, by colour type.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: First column and row of each interlace pass, and its steps.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def take_apart(data: bytes) -> Pieces:
    """The parts of the picture in `data`. RejectError when it ends early or its critical chunks are damaged."""
    found = _Found()
    for kind, chunk in _chunks(memoryview(data)):
        found.take(kind, chunk)
    return found.parts()


@dataclass
class _Found:
    """What has been met on the way through the file."""

    header: memoryview | None = None
    extras: list[tuple[bytes, memoryview]] = field(default_factory=list)
    body: list[Piece] = field(default_factory=list)
    needed: list[Piece] = field(default_factory=list)
    exif: bytes | None = None
    profile: tuple[bytes, bytes] | None = None
    met_profile: bool = False
    repeats: int | None = None
    met_pixels: bool = False
    durations: list[int] = field(default_factory=list)

    def take(self, kind: bytes, chunk: memoryview) -> None:
        if (self.header is None) != (kind == b"IHDR"):
            raise RejectError(Code.CORRUPT_FILE, "the PNG does not begin with one header")
        if kind == b"IHDR":
            self.header = chunk
        elif kind in _PIXELS:
            self.body.append(chunk)
            self.needed.append(chunk)
            self.met_pixels |= kind == b"IDAT"
        elif kind in ANIMATION:
            self._take_animation(kind, chunk)
        elif kind in _EXTRAS and kind not in dict(self.extras):
            self.extras.append((kind, chunk))
        elif kind == b"eXIf" and self.exif is None:
            self.exif = bytes(chunk[8:-4])
        elif kind == b"iCCP" and not self.met_profile:
            # The first counts, even if it is none: a file of many that unpack far would cost minutes.
            self.met_profile = True
            self.profile = _profile(bytes(chunk[8:-4]))

    def _take_animation(self, kind: bytes, chunk: memoryview) -> None:
        """Frames of a file that does not say before its pixels that it moves are nobody's, and yet may be unpacked."""
        payload = chunk[8:-4]
        if kind == b"acTL":
            if self.repeats is not None or self.met_pixels or len(payload) != 8:
                return
            self.repeats = int.from_bytes(payload[4:8], "big")
        if self.repeats is None:
            return
        self.body.append(chunk)
        if kind == b"fcTL" and len(payload) == 26:
            share, whole = struct.unpack_from(">HH", payload, 20)
            self.durations.append(1_000 * share // (whole or 100))

    def parts(self) -> Pieces:
        if self.header is None or len(self.header) != 13 + _FRAME:
            raise RejectError(Code.CORRUPT_FILE, "the PNG has no usable header")
        end = _chunk(b"IEND", b"")
        raw, packed = self.profile or (None, b"")
        return Pieces(
            lead=(_SIGNATURE, self.header),
            extras=tuple(chunk for kind, chunk in self.extras if not (raw and kind in _OUTRANKED)),
            body=(*self.body, end),
            needed=(*self.needed, end),
            wrap_exif=_wrap_exif,
            depth=self.header[16],
            frames=max(1, len(self.durations)),
            timing=None if self.repeats is None else Timing(tuple(self.durations), self.repeats),
            exif=self.exif,
            profile=raw,
            profile_pieces=(_chunk(b"iCCP", packed),) if raw else (),
        )


def holds_all_pixels(parts: Pieces) -> bool:
    """Whether the pixel data unpack to as many bytes as the header promises; reads them piece by piece."""
    missing = _promised_bytes(bytes(parts.lead[1][8:21]))
    stream = zlib.decompressobj()
    for chunk in parts.needed:
        packed = bytes(chunk[8:-4]) if chunk[4:8] == b"IDAT" else b""
        while packed and missing > 0:
            missing -= len(stream.decompress(packed, _AT_ONCE))
            packed = stream.unconsumed_tail
    return missing <= 0


def _promised_bytes(header: bytes) -> int:
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _SAMPLES[colour]
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = ((-((x - width) // dx), -((y - height) // dy)) for x, y, dx, dy in passes)
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0)


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """(type, whole chunk) of every chunk before IEND; a damaged ancillary one is passed over."""
    position = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        end = position + _FRAME + int.from_bytes(view[position : position + 4], "big")
        if end > len(view):
            raise RejectError(Code.TRUNCATED_IMAGE, "the PNG ends within a chunk")
        kind, chunk = bytes(view[position + 4 : position + 8]), view[position:end]
        whole = zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
        if _is_critical(kind) and not (whole and kind in _PIXELS | {b"IHDR", b"IEND"}):
            raise RejectError(Code.CORRUPT_FILE, f"the PNG has a damaged or unknown chunk {kind!r}")
        if kind == b"IEND":
            return
        if whole:
            yield kind, chunk
        position = end
    raise RejectError(Code.TOO_LARGE, f"the PNG has more than {_MAX_CHUNKS} chunks")


def _is_critical(kind: bytes) -> bool:
    return not kind[0] & 0x20


def _chunk(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(payload, zlib.crc32(kind))
    return len(payload).to_bytes(4, "big") + kind + payload + checksum.to_bytes(4, "big")


def _wrap_exif(block: bytes) -> bytes:
    return _chunk(b"eXIf", block)


def _profile(payload: bytes) -> tuple[bytes, bytes] | None:
    """(ICC profile, iCCP payload with a name that says nothing), or None for one that is damaged or huge."""
    name, _, rest = payload.partition(b"\x00")
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(rest[1:], _MAX_PROFILE)
    except zlib.error:
        return None
    if not name or not stream.eof or rest[:1] != b"\x00":
        return None
    # Bytes after the compressed stream belong to nobody.
    return profile, name[:1] + b"\x00" + rest[: len(rest) - len(stream.unused_data)]
