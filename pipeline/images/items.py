"""The items of an AVIF or HEIC file: pictures, previews and metadata, and where their bytes lie (ISO/IEC 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.errors import Code, RejectError
from pipeline.images.boxes import Box, Reader, children

Span = tuple[int, int]

#: Bytes of version and flags at the head of many boxes.
VERSION = 4
_MAX_ITEMS = 20_000
#: Colour primaries and transfer curves (ITU-T H.273) that are those of sRGB, near to it, or not said.
_SRGB_PRIMARIES = frozenset({1, 2})
_SRGB_TRANSFERS = frozenset({1, 2, 6, 13, 14, 15})
_IN_FILE, _IN_IDAT = 0, 1


@dataclass
class Item:
    kind: bytes = b""
    name: Span = (0, 0)
    spans: list[Span] = field(default_factory=list)
    preview: bool = False


@dataclass
class Meta:
    """What a `meta` box says. `sizes`: of all pictures, parts and previews among them. `depth`: bits per sample.

    `ordinary`: see `Parts`. `descriptions`: places of the references from metadata to the pictures that they describe.
    """

    items: dict[int, Item] = field(default_factory=dict)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    profile: bytes | None = None
    depth: int = 8
    ordinary: bool = True
    descriptions: list[int] = field(default_factory=list)


def read_items(data: bytes, meta: Box) -> Meta:
    """What the `meta` box at `meta` says; RejectError where it is broken."""
    found = {box.kind: box for box in children(data, meta, skip=VERSION)}
    result = Meta()
    if b"iinf" in found:
        _read_kinds(data, found[b"iinf"], result)
    if b"iloc" in found:
        _read_places(data, found[b"iloc"], found.get(b"idat"), result)
    if b"iref" in found:
        _read_references(data, found[b"iref"], result)
    if b"iprp" in found:
        primary = _read_primary(data, found[b"pitm"]) if b"pitm" in found else None
        _read_properties(data, found[b"iprp"], primary, result)
    return result


def _read_primary(data: bytes, box: Box) -> int:
    reader = Reader(data, box.body, box.end)
    return reader.number(2 if reader.number(VERSION) >> 24 == 0 else 4)


def _read_kinds(data: bytes, box: Box, result: Meta) -> None:
    count_length = 2 if data[box.body] == 0 else 4
    for entry in children(data, box, skip=VERSION + count_length):
        reader = Reader(data, entry.body, entry.end)
        version = reader.number(VERSION) >> 24
        if entry.kind != b"infe" or version < 2:
            continue
        item = result.items.setdefault(reader.number(2 if version == 2 else 4), Item())
        reader.number(2)
        item.kind, item.name = reader.bytes(4), reader.text()


def _read_places(data: bytes, box: Box, idat: Box | None, result: Meta) -> None:
    reader = Reader(data, box.body, box.end)
    version = reader.number(VERSION) >> 24
    sizes = reader.number(2)
    id_length = 4 if version == 2 else 2
    pieces = 0
    for _ in range(reader.number(id_length)):
        item = result.items.setdefault(reader.number(id_length), Item())
        method = reader.number(2) & 0xF if version else _IN_FILE
        reader.number(2)
        base = reader.number(sizes >> 4 & 0xF)
        for _ in range(reader.number(2)):
            reader.number(sizes & 0xF if version else 0)
            start, length = base + reader.number(sizes >> 12), reader.number(sizes >> 8 & 0xF)
            item.spans.append(_place(data, method, idat, start, length))
            pieces += 1
            _require_few(pieces)


def _place(data: bytes, method: int, idat: Box | None, start: int, length: int) -> Span:
    if method == _IN_IDAT and idat is not None:
        first, last = idat.body, idat.end
    elif method == _IN_FILE:
        first, last = 0, len(data)
    else:
        raise RejectError(Code.CORRUPT_FILE, "the image keeps a part of itself where there is none")
    end = first + start + length if length else last
    if end > last or first + start > last:
        raise RejectError(Code.TRUNCATED_IMAGE, "the image ends before its pixels do")
    return first + start, end


def _require_few(pieces: int) -> None:
    if pieces > _MAX_ITEMS:
        raise RejectError(Code.TOO_LARGE, f"the image is in more than {_MAX_ITEMS:,} pieces")


def _read_references(data: bytes, box: Box, result: Meta) -> None:
    id_length = 2 if data[box.body] == 0 else 4
    for reference in children(data, box, skip=VERSION):
        if reference.kind == b"cdsc":
            result.descriptions.append(reference.start)
        item = result.items.get(Reader(data, reference.body, reference.end).number(id_length))
        if item and reference.kind == b"thmb":
            item.preview = True


def _read_properties(data: bytes, box: Box, primary: int | None, result: Meta) -> None:
    containers = list(children(data, box))
    maps = [one for one in containers if one.kind == b"ipma"]
    shown = {number for one in maps for number in _read_association(data, one, primary)}
    for container in containers:
        for number, entry in enumerate(children(data, container) if container.kind == b"ipco" else (), 1):
            # Where nobody says which properties are whose, all of them are.
            is_shown = number in shown or primary is None or not maps
            _read_property(Reader(data, entry.body, entry.end), entry.kind, is_shown, result)


def _read_association(data: bytes, box: Box, item: int | None) -> Iterator[int]:
    """The numbers of the properties of an item, from 1 on."""
    reader = Reader(data, box.body, box.end)
    head = reader.number(VERSION)
    for _ in range(reader.number(4)):
        owner = reader.number(2 if head >> 24 == 0 else 4)
        for _ in range(reader.number(1)):
            # The highest bit says that whoever does not know the property must not show the item.
            number = reader.number(2) & 0x7FFF if head & 1 else reader.number(1) & 0x7F
            if owner == item:
                yield number


def _read_property(reader: Reader, kind: bytes, is_shown: bool, result: Meta) -> None:
    """`is_shown`: it belongs to the picture that the file is shown as. The largest and deepest of all count."""
    if kind == b"ispe":
        reader.number(VERSION)
        result.sizes.append((reader.number(4), reader.number(4)))
    elif kind == b"colr" and is_shown:
        _read_colours(reader, result)
    elif kind == b"clap" and is_shown:
        # The decoder does not crop: written anew, what was cut off would be seen.
        result.ordinary = False
    elif kind == b"av1C":
        flags = reader.bytes(4)[2]
        result.depth = max(result.depth, (8 if not flags & 0x40 else 12 if flags & 0x20 else 10))
        result.ordinary &= not flags & 0x40 and bool(flags & 0x0C)


def _read_colours(reader: Reader, result: Meta) -> None:
    kind = reader.bytes(4)
    if kind in (b"prof", b"rICC") and result.profile is None:
        result.profile = reader.bytes(reader.end - reader.position)
    if kind == b"nclx":
        result.ordinary &= reader.number(2) in _SRGB_PRIMARIES and reader.number(2) in _SRGB_TRANSFERS
