"""Reads the boxes of an AVIF or HEIC file (ISO/IEC 14496-12 and 23008-12), without decoding.

Items lie at absolute places, so nothing is cut out: what is private is overwritten where it stands. That is every item
that is no picture (EXIF, XMP), previews, names of items, boxes that pictures do not need, the bytes between the items,
and what follows the last box.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipeline.errors import Code, RejectError
from pipeline.images.boxes import Box, boxes, children
from pipeline.images.items import VERSION, Meta, Span, read_items

_NEEDED = frozenset({b"ftyp", b"meta", b"mdat", b"moov"})
_PICTURES = frozenset({b"av01", b"hvc1", b"grid", b"iovl", b"iden", b"tmap"})
#: Boxes of a track or movie in which others lie that may be private.
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia"})
_PRIVATE = frozenset({b"udta", b"meta", b"uuid"})
_DATED = frozenset({b"mvhd", b"tkhd", b"mdhd"})
#: What a list of items may hold, and the properties of items that are texts.
_LISTING = frozenset({b"hdlr", b"pitm", b"iinf", b"iloc", b"iprp", b"iref", b"idat", b"grpl", b"dinf"})
_TEXTS = frozenset({b"udes", b"altt", b"crtt", b"mdft", b"uuid"})
#: A TIFF block that says nothing: readers stumble over an EXIF item without one.
_EMPTY_TIFF = b"MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"
_OFFSET_LENGTH = 4


@dataclass(frozen=True, kw_only=True)
class Container:
    """`Parts` of a file whose metadata are overwritten where they stand. `blanks`: (start, end) of what is private.

    `exif_item`: where the EXIF item lies, with its offset field, if it lies in one piece.
    """

    data: bytes = field(repr=False)
    end: int
    blanks: tuple[Span, ...]
    freed: tuple[int, ...]
    descriptions: tuple[int, ...]
    exif_item: Span | None
    size: tuple[int, int] | None
    depth: int
    frames: int | None
    exif: bytes | None
    profile: bytes | None
    timing: None = None
    lossless: bool = False
    ordinary: bool = True
    turned_by_container: bool = True

    def bare(self) -> bytes:
        """As `Parts` says. Metadata that describe nothing are not even looked at: libheif crashes on damaged ones."""
        whole = bytearray(self.stripped(exif=None, with_profile=True))
        for start in self.descriptions:
            whole[start + 4 : start + 8] = b"free"
        return bytes(whole)

    def stripped(self, *, exif: bytes | None, with_profile: bool) -> bytes:
        """As `Parts` says; the profile stays in any case."""
        whole = bytearray(self.data[: self.end])
        for start, end in self.blanks:
            whole[start:end] = bytes(end - start)
        for start in self.freed:
            whole[start + 4 : start + 8] = b"free"
        if self.exif_item:
            start, end = self.exif_item
            block = bytes(_OFFSET_LENGTH) + (exif or _EMPTY_TIFF)
            if len(block) <= end - start:
                whole[start : start + len(block)] = block
        return bytes(whole)


def take_apart(data: bytes) -> Container:
    """The parts of the AVIF or HEIC in `data`; RejectError when it ends early or its boxes are broken."""
    found = _top_level(data)
    meta = next((read_items(data, box) for box in found if box.kind == b"meta"), Meta())
    movie = any(box.kind == b"moov" for box in found)
    if not (meta.items or movie):
        raise RejectError(Code.CORRUPT_FILE, "the image has no list of what it holds")
    exif_items = [item for item in meta.items.values() if item.kind == b"Exif"]
    freed = [box for box in found if box.kind not in _NEEDED]
    freed += [*_private_boxes(data, found), *_private_listing(data, found)]
    blanks = [(box.body, box.end) for box in freed] + _private_spans(meta) + list(_moments(data, found))
    if not movie:
        blanks += _gaps(found, meta)
    exif = b"".join(data[start:end] for start, end in exif_items[0].spans) if exif_items else b""
    return Container(
        data=data,
        end=found[-1].end,
        blanks=tuple(blanks),
        freed=tuple(box.start for box in freed),
        descriptions=tuple(meta.descriptions),
        exif_item=exif_items[0].spans[0] if exif_items and len(exif_items[0].spans) == 1 else None,
        size=max(meta.sizes, key=lambda size: size[0] * size[1], default=None),
        depth=meta.depth,
        ordinary=meta.ordinary,
        frames=None if movie else 1,
        exif=_tiff_block(exif),
        profile=meta.profile,
    )


def _top_level(data: bytes) -> list[Box]:
    """The boxes of the file; the first that is not whole is cut off, unless pictures need it."""
    found = []
    for box in boxes(data, 0, len(data)):
        if box.end > len(data):
            if box.kind in _NEEDED:
                raise RejectError(Code.TRUNCATED_IMAGE, f"the image ends within its box {box.kind!r}")
            break
        found.append(box)
    return found


def _private_boxes(data: bytes, parents: Iterable[Box]) -> Iterator[Box]:
    """The boxes within movies and tracks that say something about people or programs."""
    for parent in parents:
        inner = list(children(data, parent)) if parent.kind in _CONTAINERS else []
        yield from (box for box in inner if box.kind in _PRIVATE)
        yield from _private_boxes(data, inner)


def _moments(data: bytes, parents: Iterable[Box]) -> Iterator[Span]:
    """Where movies and tracks say when they were made and changed."""
    for parent in parents:
        inner = list(children(data, parent)) if parent.kind in _CONTAINERS else []
        for box in inner:
            length = 16 if data[box.body : box.body + 1] == b"\x01" else 8
            if box.kind in _DATED and box.body + VERSION + length <= box.end:
                yield box.body + VERSION, box.body + VERSION + length
        yield from _moments(data, inner)


def _private_listing(data: bytes, found: Iterable[Box]) -> Iterator[Box]:
    """What stands in the list of items and is needed by none; places in the list of properties stay taken."""
    for meta in found:
        for box in children(data, meta, skip=VERSION) if meta.kind == b"meta" else ():
            if box.kind not in _LISTING:
                yield box
            for container in children(data, box) if box.kind == b"iprp" else ():
                inner = children(data, container) if container.kind == b"ipco" else ()
                yield from (entry for entry in inner if entry.kind in _TEXTS)


def _private_spans(meta: Meta) -> list[Span]:
    private = [item for item in meta.items.values() if item.preview or item.kind not in _PICTURES]
    return [span for item in private for span in item.spans] + [item.name for item in meta.items.values()]


def _gaps(found: list[Box], meta: Meta) -> list[Span]:
    """What lies between the items in the boxes for their bytes."""
    taken = sorted(span for item in meta.items.values() for span in item.spans)
    gaps = []
    for box in found:
        position = box.body
        for start, end in taken if box.kind == b"mdat" else ():
            if box.body <= start < box.end:
                gaps.append((position, start))
                position = max(position, end)
        if box.kind == b"mdat":
            gaps.append((position, box.end))
    return [(start, end) for start, end in gaps if start < end]


def _tiff_block(exif: bytes) -> bytes | None:
    """What an EXIF item holds after the field that says how far on its TIFF block begins."""
    start = _OFFSET_LENGTH + int.from_bytes(exif[:_OFFSET_LENGTH], "big")
    return exif[start:] or None
