"""Reads a PNG as its specification has it (third edition, W3C), and takes nothing for good that differs from it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAME = 12  # bytes of length, type and checksum
_AT_ONCE = 1_000_000
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_LAST_FILTER = 4

#: Samples of a pixel and the depths that they may have, by colour type.
_COLOURS = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
#: First column and row of each interlace pass, and its steps.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_WHOLE = ((0, 0, 1, 1),)


def check_png(data: bytes) -> None:
    """ValueError, with what is wrong, unless every checksum is right and all pictures have just the pixels promised."""
    if not data.startswith(_SIGNATURE):
        raise ValueError("the file does not begin as a PNG does")
    found = _Found()
    for kind, payload in _chunks(memoryview(data)):
        found.take(kind, payload)
    found.check_pixels()


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @classmethod
    def of(cls, payload: memoryview) -> _Header:
        if len(payload) != 13:
            raise ValueError("the header has a wrong length")
        width, height, depth, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", payload)
        known = colour in _COLOURS and depth in _COLOURS[colour][1] and (packing, filtering) == (0, 0)
        if not (known and width and height and interlace in (0, 1)):
            raise ValueError("the header promises a picture that PNG does not know")
        return cls(width, height, depth, colour, bool(interlace))

    def passes(self, width: int, height: int) -> Iterator[tuple[int, int]]:
        """(bytes of a row with its filter, number of rows) of each pass over a picture or frame of this size."""
        bits = self.depth * _COLOURS[self.colour][0]
        for x, y, dx, dy in _ADAM7 if self.interlaced else _WHOLE:
            columns, rows = -((x - width) // dx), -((y - height) // dy)
            if columns > 0 and rows > 0:
                yield 1 + (columns * bits + 7) // 8, rows


@dataclass
class _Picture:
    """The packed pixels of the picture itself or of one frame of an animation."""

    size: tuple[int, int]
    packed: list[memoryview] = field(default_factory=list)


@dataclass
class _Found:
    """What has been met on the way through the file."""

    header: _Header | None = None
    still: _Picture | None = None
    frames: list[_Picture] = field(default_factory=list)
    promised_frames: int | None = None
    has_palette: bool = False
    before: bytes = b""
    sequence: int = 0

    def take(self, kind: bytes, payload: memoryview) -> None:
        if (self.header is None) != (kind == b"IHDR"):
            raise ValueError("the file does not begin with one header")
        if not kind[0] & 0x20 and kind not in _CRITICAL:
            raise ValueError(f"nobody knows the chunk {kind!r}, without which it cannot be shown")
        if kind == b"IHDR":
            self.header = _Header.of(payload)
        elif kind == b"PLTE":
            self.has_palette = True
        elif kind == b"IDAT":
            self._take_pixels(payload)
        elif kind == b"acTL" and len(payload) == 8:
            self.promised_frames = int.from_bytes(payload[:4], "big")
        elif kind in (b"fcTL", b"fdAT"):
            self._take_frame(kind, payload)
        self.before = kind

    def _take_pixels(self, payload: memoryview) -> None:
        if self.still is None:
            assert self.header is not None
            self.still = _Picture((self.header.width, self.header.height))
        elif self.before != b"IDAT":
            raise ValueError("other chunks lie between those of its pixels")
        self.still.packed.append(payload)

    def _take_frame(self, kind: bytes, payload: memoryview) -> None:
        """A frame's beginning or pixels. The pixels of the first frame may be those of the picture itself."""
        if int.from_bytes(payload[:4], "big") != self.sequence:
            raise ValueError("the frames of the animation are not in order")
        self.sequence += 1
        if kind == b"fcTL" and len(payload) == 26:
            self.frames.append(_Picture(struct.unpack_from(">II", payload, 4)))
        elif kind == b"fdAT" and self.frames:
            self.frames[-1].packed.append(payload[4:])
        else:
            raise ValueError("a frame of the animation is damaged")

    def check_pixels(self) -> None:
        if self.header is None or self.still is None:
            raise ValueError("it holds no picture")
        if self.header.colour == 3 and not self.has_palette:
            raise ValueError("its palette is missing")
        if self.promised_frames is not None and self.promised_frames != len(self.frames):
            raise ValueError(f"{len(self.frames)} of {self.promised_frames} frames are there")
        for number, picture in enumerate([self.still, *self.frames]):
            # Only the first frame may have no pixels of its own.
            if picture.packed or number != 1:
                _check_rows(picture.packed, list(self.header.passes(*picture.size)))


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """(type, payload) of every chunk before IEND."""
    position = len(_SIGNATURE)
    while position < len(view):
        end = position + _FRAME + int.from_bytes(view[position : position + 4], "big")
        kind = bytes(view[position + 4 : position + 8])
        if end > len(view):
            raise ValueError(f"the file ends within the chunk {kind!r}")
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise ValueError(f"the checksum of the chunk {kind!r} is wrong")
        if kind == b"IEND":
            return
        yield kind, view[position + 8 : end - 4]
        position = end
    raise ValueError("the file ends before its end mark")


def _check_rows(packed: Iterable[memoryview], passes: list[tuple[int, int]]) -> None:
    """Every row is there and begins with a filter that there is, and nothing follows the last one."""
    waiting = iter(passes)
    stride, left = 1, 0
    for piece in _unpacked(packed):
        while piece:
            if not left:
                stride, rows = next(waiting, (0, 0))
                left = stride * rows
            if not left:
                raise ValueError("there are more pixels than the header promises")
            part, piece = piece[:left], piece[left:]
            if max(part[left % stride :: stride], default=0) > _LAST_FILTER:
                raise ValueError("a row of pixels begins with a filter that there is not")
            left -= len(part)
    left += sum(stride * rows for stride, rows in waiting)
    if left:
        raise ValueError(f"{left:,} bytes of pixels are missing")


def _unpacked(packed: Iterable[memoryview]) -> Iterator[bytes]:
    """The pixel data, piece by piece; the stream has to end with its right checksum, and nothing may follow it."""
    stream = zlib.decompressobj()
    for chunk in packed:
        rest: bytes | memoryview = chunk
        while rest:
            if stream.eof:
                raise ValueError("something follows the end of its pixels")
            try:
                yield stream.decompress(rest, _AT_ONCE)
            except zlib.error as error:
                raise ValueError(f"its pixels do not unpack: {error}") from error
            rest = stream.unconsumed_tail or stream.unused_data
    if not stream.eof:
        raise ValueError("its pixels end early")
