"""Words on pictures, in the one typeface that comes with Pillow: the same on every machine."""

from __future__ import annotations

from PIL import ImageDraw, ImageFont


def words_at(
    draw: ImageDraw.ImageDraw, words: str, place: tuple[float, float], size: float, colour: str, unit: float
) -> None:
    """Words whose upper left corner is at `place`; `unit` is how many pixels a unit of `place` and `size` has."""
    draw.text((place[0] * unit, place[1] * unit), words, font=ImageFont.load_default(size * unit), fill=colour)


def spaced(
    draw: ImageDraw.ImageDraw, words: str, x: float, y: float, size: float, colour: str, *, spread: float
) -> None:
    """A line of letters set wide, `spread` times the size between them, around `x`."""
    font = ImageFont.load_default(size)
    widths = [draw.textlength(letter, font=font) + spread * size for letter in words]
    left = x - (sum(widths) - spread * size) / 2
    for letter, width in zip(words, widths, strict=True):
        draw.text((left, y), letter, font=font, fill=colour)
        left += width
