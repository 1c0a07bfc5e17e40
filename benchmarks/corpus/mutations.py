"""Damage of the kinds that break decoders: the same seed gives the same bytes."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable

from benchmarks.corpus.parts import parts

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_PNG = b"\x89PNG\r\n\x1a\n"

Mutation = Callable[[bytearray, random.Random, bytes], None]


def mutated(data: bytes, chance: random.Random, other: bytes) -> bytes:
    """`data` after one to three mutations; `other` is a file of which pieces may be taken."""
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        if len(damaged) > 16:
            chance.choice(_MUTATIONS)(damaged, chance, other)
    return _mended(bytes(damaged)) if chance.random() < 0.7 else bytes(damaged)


def _flip_bytes(data: bytearray, chance: random.Random, other: bytes) -> None:
    for _ in range(chance.choice((1, 3, 20))):
        data[_place(data, chance)] = chance.randrange(256)


def _flip_bit(data: bytearray, chance: random.Random, other: bytes) -> None:
    data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _set_number(data: bytearray, chance: random.Random, other: bytes) -> None:
    """What may be a length, a count or an offset becomes an extreme one."""
    place, width = _place(data, chance), chance.choice((1, 2, 4))
    value = (chance.choice(_NUMBERS) & (256**width - 1)).to_bytes(width, chance.choice(("big", "little")))
    data[place : place + width] = value


def _truncate(data: bytearray, chance: random.Random, other: bytes) -> None:
    del data[chance.randrange(8, len(data)) :]


def _cut_out(data: bytearray, chance: random.Random, other: bytes) -> None:
    place = _place(data, chance)
    del data[place : place + chance.choice((1, 4, 100, 5_000))]


def _repeat(data: bytearray, chance: random.Random, other: bytes) -> None:
    place, size = _place(data, chance), chance.choice((4, 100, 5_000))
    data[place:place] = data[place : place + size] * chance.choice((1, 2, 30))


def _clear(data: bytearray, chance: random.Random, other: bytes) -> None:
    place = _place(data, chance)
    size = min(chance.choice((4, 64, 2_000)), len(data) - place)
    data[place : place + size] = bytes((chance.choice((0, 0xFF)),)) * size


def _splice(data: bytearray, chance: random.Random, other: bytes) -> None:
    place, start = _place(data, chance), chance.randrange(len(other) + 1)
    size = chance.choice((16, 500, 20_000))
    data[place : place + size] = other[start : start + size]


def _splice_part(data: bytearray, chance: random.Random, other: bytes) -> None:
    """A part of the other file before, or instead of, one of ours."""
    ours, theirs = parts(bytes(data)), parts(other)
    if ours and theirs:
        place, taken = chance.choice(ours), chance.choice(theirs)
        end = chance.choice((place.start, place.end))
        data[place.start : end] = other[taken.start : taken.end]


def _move_part(data: bytearray, chance: random.Random, other: bytes) -> None:
    """A part is left out, comes twice, or stands in another place."""
    ours = parts(bytes(data))
    if len(ours) > 1:
        moved, place = chance.choice(ours), chance.choice(ours)
        taken = data[moved.start : moved.end]
        if chance.random() < 0.6:
            del data[moved.start : moved.end]
        if chance.random() < 0.6:
            data[place.start : place.start] = taken


def _lie_about_a_length(data: bytearray, chance: random.Random, other: bytes) -> None:
    ours = parts(bytes(data))
    if ours:
        part = chance.choice(ours)
        place = slice(part.length_at, part.length_at + part.width)
        near = int.from_bytes(data[place], part.order) + chance.choice((-8, -1, 1, 8))
        lie = chance.choice((near, near, *_NUMBERS)) % 256**part.width
        data[place] = lie.to_bytes(part.width, part.order)


def _set_number_of_a_part(data: bytearray, chance: random.Random, other: bytes) -> None:
    """A size, a count or a place at the head of a chunk, box or block becomes an extreme one, wherever that stands."""
    ours = [part for part in parts(bytes(data)) if part.end > part.start]
    if ours:
        part, width = chance.choice(ours), chance.choice((2, 4))
        place = chance.randrange(part.start, min(part.length_at + 40, part.end))
        value = (chance.choice(_NUMBERS) & (256**width - 1)).to_bytes(width, part.order)
        data[place : place + width] = value


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_bytes,
    _flip_bit,
    _set_number,
    _set_number,
    _truncate,
    _cut_out,
    _repeat,
    _clear,
    _splice,
    _splice_part,
    _move_part,
    _lie_about_a_length,
    _set_number_of_a_part,
)


def _place(data: bytearray, chance: random.Random) -> int:
    """Headers decide more than pixels do: half of the damage falls into the first 512 bytes."""
    end = len(data) if chance.random() < 0.5 else min(len(data), 512)
    return chance.randrange(4, max(5, end))


def _mended(data: bytes) -> bytes:
    """A PNG with right checksums, so that what is inside the chunks reaches the decoder; others as they are."""
    if not data.startswith(_PNG):
        return data
    mended, position = [_PNG], len(_PNG)
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if end > len(data):
            break
        body = data[position + 4 : end - 4]
        mended += [data[position : position + 4], body, zlib.crc32(body).to_bytes(4, "big")]
        position = end
    return b"".join(mended) + data[position:]
