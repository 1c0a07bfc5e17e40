"""How alike two pictures of one size are, in what can be seen of them."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageStat

#: Pictures that were encoded with a loss are compared in an eighth of their size: seen from afar.
EIGHTH = 8
#: How far from each other they may be then, as the root of the mean square of 255 steps, in the band where they differ
#: most. The lowest quality comes to 21; colours that were read otherwise than written are above 60.
_FARTHEST = 40.0


def decibels(one: Image.Image, other: Image.Image) -> float:
    """The peak signal-to-noise ratio over all four bands; infinite where they are the same."""
    square = sum(rms * rms for rms in _differences(one, other)) / 4
    return 10 * math.log10(255 * 255 / square) if square else math.inf


def are_alike_from_afar(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures that are an eighth of the originals' size, or small altogether, show the same."""
    return max(_differences(one, other)) <= _FARTHEST


def _differences(one: Image.Image, other: Image.Image) -> list[float]:
    return ImageStat.Stat(ImageChops.difference(_seen(one), _seen(other))).rms


def _seen(image: Image.Image) -> Image.Image:
    """RGBA in which pixels that nobody sees have no colour."""
    return image.convert("RGBA").convert("RGBa")
