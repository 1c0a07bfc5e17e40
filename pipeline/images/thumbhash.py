"""ThumbHash: a blurred picture in about 25 bytes, with its proportions and its transparency.

The format and its arithmetic are Evan Wallace's: https://evanw.github.io/thumbhash/ and
https://github.com/evanw/thumbhash. Why this is no package: docs/decisions/thumbhash.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi
from operator import mul

MAX_SIDE = 100


@dataclass(frozen=True)
class _Wave:
    """A channel as a sum of cosines: its mean, the other amplitudes scaled to 0–1, and their scale."""

    mean: float
    amplitudes: tuple[float, ...]
    scale: float


def thumbhash(width: int, height: int, rgba: bytes) -> bytes:
    """The hash of a picture of at most 100×100 pixels in RGBA bytes, not premultiplied; 32×32 give the same blur."""
    if not 0 < max(width, height) <= MAX_SIDE or len(rgba) != 4 * width * height:
        raise ValueError(f"{width}×{height} pixels in {len(rgba)} bytes; at most 100×100, four bytes each")
    light, warmth, tint, alpha = _channels(rgba)
    see_through = min(alpha) < 1
    across, down = _light_waves(width, height, see_through)
    waves = [
        _analyse(light, width, max(3, across), max(3, down)),
        _analyse(warmth, width, 3, 3),
        _analyse(tint, width, 3, 3),
    ]
    head = _header(waves, see_through, landscape=width > height, shorter=min(across, down))
    if see_through:
        waves.append(_analyse(alpha, width, 5, 5))
        head += bytes([_step(waves[3].mean, 15) | _step(waves[3].scale, 15) << 4])
    return head + _nibbles([_step(amplitude, 15) for wave in waves for amplitude in wave.amplitudes])


def _channels(rgba: bytes) -> tuple[list[float], list[float], list[float], list[float]]:
    """Lightness, yellow against blue, red against green, and opacity; what shows through is the mean colour."""
    alpha = [value / 255 for value in rgba[3::4]]
    total = sum(alpha)
    red, green, blue = (_over_its_mean(rgba[band::4], alpha, total) for band in range(3))
    light = [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)]
    warmth = [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)]
    tint = [r - g for r, g in zip(red, green, strict=True)]
    return light, warmth, tint, alpha


def _over_its_mean(band: bytes, alpha: list[float], total: float) -> list[float]:
    if total == len(alpha):
        # Nothing shows through, as in nearly every picture: the same values, in half the time.
        return [value / 255 for value in band]
    mean = sum(map(mul, band, alpha)) / 255 / total if total else 0.0
    return [mean * (1 - a) + a * value / 255 for value, a in zip(band, alpha, strict=True)]


def _light_waves(width: int, height: int, see_through: bool) -> tuple[int, int]:
    most = 5 if see_through else 7
    longer = max(width, height)
    return max(1, int(most * width / longer + 0.5)), max(1, int(most * height / longer + 0.5))


def _analyse(channel: list[float], width: int, across: int, down: int) -> _Wave:
    """The lowest `across` × `down` triangle of the cosine transform; rows first, which is a tenth of the work."""
    height = len(channel) // width
    rows = [channel[start : start + width] for start in range(0, len(channel), width)]
    columns = [[sum(map(mul, row, wave)) for row in rows] for wave in _cosines(across, width)]
    values = [
        sum(map(mul, columns[x], wave)) / (width * height)
        for y, wave in enumerate(_cosines(down, height))
        for x in range(across)
        if x * down < across * (down - y)
    ]
    mean, *others = values
    scale = max(map(abs, others), default=0.0)
    return _Wave(mean, tuple(0.5 + 0.5 / scale * value if scale else value for value in others), scale)


@lru_cache(maxsize=256)
def _cosines(number: int, length: int) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(cos(pi / length * n * (x + 0.5)) for x in range(length)) for n in range(number))


def _header(waves: list[_Wave], see_through: bool, *, landscape: bool, shorter: int) -> bytes:
    light, warmth, tint = waves
    colour = _step(light.mean, 63) | _step(0.5 + 0.5 * warmth.mean, 63) << 6 | _step(0.5 + 0.5 * tint.mean, 63) << 12
    colour |= _step(light.scale, 31) << 18 | see_through << 23
    shape = shorter | _step(warmth.scale, 63) << 3 | _step(tint.scale, 63) << 9 | landscape << 15
    return colour.to_bytes(3, "little") + shape.to_bytes(2, "little")


def _step(share: float, steps: int) -> int:
    # Rounding half up, as the reference does; Python's round would go to the even step.
    return int(share * steps + 0.5)


def _nibbles(values: Sequence[int]) -> bytes:
    padded = [*values, 0] if len(values) % 2 else values
    return bytes(low | high << 4 for low, high in zip(padded[::2], padded[1::2], strict=True))
