"""AVIF files with properties that no encoder here writes."""

from __future__ import annotations

import struct

from pipeline.images.boxes import Box, boxes, children
from pipeline.images.items import VERSION, read_items
from tests import formats


def with_property(data: bytes, kind: bytes, payload: bytes, *, of_primary: bool) -> bytes:
    """An AVIF by Pillow with one property more, of the picture that it is shown as or of no item at all."""
    parents = _path(data, b"ipco")
    number = 1 + len(list(children(data, parents[-1])))
    data = _inserted(data, parents[-1].end, formats.iso_box(kind, payload), parents)
    if not of_primary:
        return data
    parents = _path(data, b"ipma")
    # Behind version, the number of items and the id of the first: how many properties it has, a byte for each.
    count = parents[-1].body + VERSION + 4 + 2
    # Whoever cannot crop must not show the picture.
    essential = 0x80 if kind == b"clap" else 0
    whole = bytearray(_inserted(data, count + 1 + data[count], bytes((essential | number,)), parents))
    whole[count] += 1
    return bytes(whole)


def _path(data: bytes, kind: bytes) -> list[Box]:
    """`meta`, `iprp` and the box of this kind within them."""
    meta = next(box for box in boxes(data, 0, len(data)) if box.kind == b"meta")
    properties = next(box for box in children(data, meta, skip=VERSION) if box.kind == b"iprp")
    return [meta, properties, next(box for box in children(data, properties) if box.kind == kind)]


def _inserted(data: bytes, at: int, piece: bytes, parents: list[Box]) -> bytes:
    """`data` with `piece` in the boxes `parents`; what lies behind it is found where it lies now."""
    whole = bytearray(data)
    places = next(box for box in children(data, parents[0], skip=VERSION) if box.kind == b"iloc")
    for item in read_items(data, parents[0]).items.values():
        for start, _ in item.spans:
            place = data.index(struct.pack(">I", start), places.body, places.end)
            whole[place : place + 4] = struct.pack(">I", start + len(piece))
    for parent in parents:
        whole[parent.start : parent.start + 4] = struct.pack(">I", parent.end - parent.start + len(piece))
    whole[at:at] = piece
    return bytes(whole)
