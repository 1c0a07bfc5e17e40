"""JPEG files damaged in the ways in which disks, cards and lines damage them; most decoders paint all of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from tests import images


def _bases() -> list[bytes]:
    """Baseline and progressive, with and without restarts, in all ways of keeping colours."""
    picture = images.photo((320, 240))
    return [
        images.jpeg(picture, quality=90),
        images.jpeg(picture, quality=75, progressive=True),
        images.jpeg(picture, quality=95, subsampling=0, restart_marker_blocks=4),
        images.jpeg(picture.convert("L"), quality=85),
        images.jpeg(picture.convert("CMYK"), quality=85),
    ]


def _flipped_bits(data: bytearray, scan: int, chance: random.Random) -> None:
    for _ in range(8):
        data[chance.randrange(scan, len(data) - 2)] ^= 1 << chance.randrange(8)


def _overwritten_scan(data: bytearray, scan: int, chance: random.Random) -> None:
    start = chance.randrange(scan, len(data) - 600)
    data[start : start + 512] = chance.randbytes(512)


def _truncated(data: bytearray, scan: int, chance: random.Random) -> None:
    del data[chance.randrange(scan, len(data) - 2) :]


def _zero_tail(data: bytearray, scan: int, chance: random.Random) -> None:
    start = chance.randrange(scan, len(data) - 100)
    data[start:] = bytes(len(data) - start)


def _hole(data: bytearray, scan: int, chance: random.Random) -> None:
    start = chance.randrange(scan, len(data) - 600)
    data[start : start + 512] = bytes(512)


def _lost_bytes(data: bytearray, scan: int, chance: random.Random) -> None:
    start = chance.randrange(scan, len(data) - 600)
    del data[start : start + 257]


KINDS: dict[str, Callable[[bytearray, int, random.Random], None]] = {
    "flipped bits": _flipped_bits,
    "overwritten scan": _overwritten_scan,
    "truncated": _truncated,
    "zero tail": _zero_tail,
    "hole of zeros": _hole,
    "lost bytes": _lost_bytes,
}


def clean_jpegs() -> list[bytes]:
    return _bases()


def damaged_jpegs(each: int = 4) -> Iterator[tuple[str, bytes]]:
    """(what was done to it, the file): every kind of damage `each` times to every kind of JPEG, always the same."""
    for number, base in enumerate(_bases()):
        scan = base.index(b"\xff\xda") + 16
        for kind, damage in KINDS.items():
            for turn in range(each):
                data = bytearray(base)
                damage(data, scan, random.Random(f"{kind}/{number}/{turn}"))
                yield f"{kind}, JPEG {number}, {turn}", bytes(data)
