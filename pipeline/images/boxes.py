"""The boxes of ISO media files (ISO/IEC 14496-12, 4.2) and the numbers in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import Code, RejectError

_MAX_BOXES = 20_000


@dataclass(frozen=True)
class Box:
    """One box: from `start`, its payload from `body`, to `end`, as places in the file."""

    kind: bytes
    start: int
    body: int
    end: int


@dataclass
class Reader:
    """Big-endian numbers and texts, one after the other, from `position` up to `end`."""

    data: bytes
    position: int
    end: int

    def number(self, length: int) -> int:
        return int.from_bytes(self.bytes(length), "big")

    def bytes(self, length: int) -> bytes:
        start, self.position = self.position, self.position + length
        if self.position > self.end:
            raise RejectError(Code.CORRUPT_FILE, "a box of the image is shorter than what it should hold")
        return self.data[start : self.position]

    def text(self) -> tuple[int, int]:
        """The place of a text that ends with a zero byte."""
        start = self.position
        stop = self.data.find(b"\x00", start, self.end)
        self.position = self.end if stop < 0 else stop + 1
        return start, self.end if stop < 0 else stop


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes that stand one after the other from `start`; what is no whole box ends the row."""
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        length, kind, body = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], start + 8
        if length == 1:
            length, body = int.from_bytes(data[body : body + 8], "big"), body + 8
        stop = end if length == 0 else start + length
        if stop < body:
            return
        yield Box(kind, start, body, stop)
        start = stop
    raise RejectError(Code.TOO_LARGE, f"the image has more than {_MAX_BOXES:,} boxes")


def children(data: bytes, parent: Box, *, skip: int = 0) -> Iterator[Box]:
    """The boxes within `parent`, after `skip` bytes; RejectError where one ends outside."""
    for box in boxes(data, parent.body + skip, parent.end):
        if box.end > parent.end:
            raise RejectError(Code.CORRUPT_FILE, f"the box {box.kind!r} ends outside of {parent.kind!r}")
        yield box
