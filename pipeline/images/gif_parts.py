"""Takes a GIF file apart by its blocks (CompuServe, "Graphics Interchange Format, Version 89a"), without decoding.

Kept are the screen, palettes, frames with their timing, and the number of repetitions. Comments, plain text, and what
applications put in (XMP among it) go, and so does what follows the trailer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.errors import Code, RejectError
from pipeline.images.parts import Piece, Pieces, Timing

_HEADER = 13
_NOTHING, _EXTENSION, _IMAGE, _TRAILER = 0x00, 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_CONTROL_LENGTH = 8
_REPEATS = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0")
_REPEAT_LENGTH = 19
#: A block of 255 bytes at most each; files with millions of smaller ones would only burn time.
_MAX_BLOCKS = 100_000
_MAX_SUB_BLOCKS = 1_000_000


def take_apart(data: bytes) -> Pieces:
    """The parts of the GIF in `data`; RejectError when it ends early or has no picture."""
    if len(data) < _HEADER:
        raise RejectError(Code.TRUNCATED_IMAGE, "the GIF ends within its header")
    found = _Found(size=struct.unpack_from("<HH", data, 6))
    view, start = memoryview(data), _HEADER + _palette_length(data[10])
    for kind, label, block in _blocks(view, start):
        found.take(kind, label, block)
    return found.parts(view[:start])


@dataclass
class _Found:
    """What has been met on the way through the file."""

    size: tuple[int, int]
    extras: list[Piece] = field(default_factory=list)
    body: list[Piece] = field(default_factory=list)
    first: tuple[Piece, ...] = ()
    control: memoryview | None = None
    durations: list[int] = field(default_factory=list)
    loop: int | None = None

    def take(self, kind: int, label: int, block: memoryview) -> None:
        if kind == _IMAGE:
            self._take_frame(block)
        elif label == _CONTROL and len(block) == _CONTROL_LENGTH:
            self.control = block
        elif label == _APPLICATION and bytes(block[2:14]) in _REPEATS and len(block) >= _REPEAT_LENGTH:
            self._take_repeats(block)

    def _take_frame(self, block: memoryview) -> None:
        left, top, width, height = struct.unpack_from("<HHHH", block, 1)
        # Decoders widen the screen for a frame that does not fit.
        self.size = max(self.size[0], left + width), max(self.size[1], top + height)
        frame = (block,) if self.control is None else (self.control, block)
        self.first = self.first or frame
        self.body += frame
        self.durations.append(10 * int.from_bytes(self.control[4:6], "little") if self.control else 0)
        self.control = None

    def _take_repeats(self, block: memoryview) -> None:
        if self.loop is None and bytes(block[14:16]) == b"\x03\x01":
            self.loop = int.from_bytes(block[16:18], "little")
            self.extras.append(bytes(block[: _REPEAT_LENGTH - 1]) + b"\x00")

    def parts(self, lead: memoryview) -> Pieces:
        if not self.durations:
            raise RejectError(Code.CORRUPT_FILE, "the GIF holds no picture")
        end = bytes((_TRAILER,))
        return Pieces(
            lead=(lead,),
            extras=tuple(self.extras),
            body=(*self.body, end),
            needed=(*self.first, end),
            size=self.size,
            frames=len(self.durations),
            timing=Timing(tuple(self.durations), self.loop),
            lossless=True,
        )


def _blocks(view: memoryview, position: int) -> Iterator[tuple[int, int, memoryview]]:
    """(kind, label, whole block) of everything before the trailer; only extensions have a label."""
    walk = _Walk(view)
    for _ in range(_MAX_BLOCKS):
        kind = walk.byte(position)
        if kind == _TRAILER:
            return
        if kind == _NOTHING:
            # Many programs, Pillow among them, end a picture twice.
            position += 1
            continue
        if kind == _EXTENSION:
            label, end = walk.byte(position + 1), walk.after_sub_blocks(position + 2)
        elif kind == _IMAGE:
            # After ten bytes of place and size come a palette, one byte for the code size, and the pixels.
            label, end = 0, walk.after_sub_blocks(position + 11 + _palette_length(walk.byte(position + 9)))
        else:
            raise RejectError(Code.CORRUPT_FILE, f"the GIF has a block of the unknown kind 0x{kind:02X}")
        yield kind, label, view[position:end]
        position = end
    raise RejectError(Code.TOO_LARGE, f"the GIF has more than {_MAX_BLOCKS:,} blocks")


@dataclass
class _Walk:
    view: memoryview
    sub_blocks: int = 0

    def byte(self, position: int) -> int:
        if position >= len(self.view):
            raise RejectError(Code.TRUNCATED_IMAGE, "the GIF has no end mark")
        return self.view[position]

    def after_sub_blocks(self, position: int) -> int:
        while length := self.byte(position):
            position += 1 + length
            self.sub_blocks += 1
            if self.sub_blocks > _MAX_SUB_BLOCKS:
                raise RejectError(Code.TOO_LARGE, f"the GIF has more than {_MAX_SUB_BLOCKS:,} sub-blocks")
        return position + 1


def _palette_length(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
