"""A travel poster of flat shapes, drawn at three times the size so that every edge is smooth."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from img.scenes.lettering import spaced

_OVER = 3

#: Outlines in shares of the picture's width and height: hills far off, the volcano, its side in the sun.
# fmt: off
_HILLS = (
    (0, 0.56), (0.10, 0.50), (0.20, 0.545), (0.33, 0.47), (0.46, 0.55), (0.60, 0.53), (0.78, 0.57),
    (1, 0.54), (1, 0.62), (0, 0.62),
)
_VOLCANO = (
    (0.08, 0.62), (0.22, 0.47), (0.315, 0.33), (0.355, 0.275), (0.395, 0.290), (0.43, 0.272), (0.50, 0.37),
    (0.63, 0.52), (0.80, 0.62),
)
_SUNLIT = (
    (0.43, 0.272), (0.50, 0.37), (0.63, 0.52), (0.80, 0.62), (0.55, 0.62), (0.49, 0.50), (0.455, 0.44), (0.46, 0.37),
    (0.415, 0.31),
)
# fmt: on

_EVERY_INK = (255, 255, 255, 255)
#: Each ink alone, two by two, and black at a half.
_PATCHES = (
    (255, 0, 0, 0),
    (0, 255, 0, 0),
    (0, 0, 255, 0),
    (0, 0, 0, 255),
    (255, 255, 0, 0),
    (0, 255, 255, 0),
    (255, 0, 255, 0),
    (0, 0, 0, 128),
)


def poster(size: tuple[int, int]) -> Image.Image:
    """A travel poster for an island that is on no map."""
    columns, rows = size[0] * _OVER, size[1] * _OVER
    image = Image.new("RGB", (columns, rows), "#f3e6cf")
    draw = ImageDraw.Draw(image)
    unit = columns / 1000
    left, top, right, bottom = 60 * unit, 60 * unit, 940 * unit, rows - 250 * unit
    picture = Image.new("RGB", (round(right - left), round(bottom - top)), "#f7b267")
    _paint_island(ImageDraw.Draw(picture), picture.width, picture.height)
    image.paste(picture, (round(left), round(top)))
    spaced(draw, "ISLA SIN NOMBRE", columns / 2, rows - 195 * unit, 92 * unit, "#12355b", spread=0.08)
    spaced(
        draw,
        "TWO DAYS BY SHIP   ·   ONE NIGHT BY DREAM",
        columns / 2,
        rows - 88 * unit,
        27 * unit,
        "#d1495b",
        spread=0.12,
    )
    return image.resize(size, Image.Resampling.LANCZOS)


def for_print(size: tuple[int, int]) -> Image.Image:
    """The poster as a printer's proof in CMYK: trim marks at its corners, patches of the four inks below."""
    columns, rows = size
    margin = columns // 12
    trimmed = (columns - 2 * margin, rows - 2 * margin)
    sheet = Image.new("CMYK", size)
    sheet.paste(_separated(poster(trimmed)), (margin, margin))
    draw = ImageDraw.Draw(sheet)
    for x in (margin, columns - margin):
        for y in (margin, rows - margin):
            outward_x, outward_y = (1 if x > margin else -1), (1 if y > margin else -1)
            draw.line((x + outward_x * margin // 4, y, x + outward_x * margin * 3 // 4, y), fill=_EVERY_INK, width=2)
            draw.line((x, y + outward_y * margin // 4, x, y + outward_y * margin * 3 // 4), fill=_EVERY_INK, width=2)
    for patch, ink in enumerate(_PATCHES):
        x, y, side = columns // 2 + (patch - 4) * margin // 2, rows - margin * 2 // 3, margin * 2 // 5
        draw.rectangle((x, y, x + side, y + side), fill=ink)
    return sheet


def _separated(image: Image.Image) -> Image.Image:
    """The inks for a picture: black for what all three colours share, which leaves them the hue."""
    cyan, magenta, yellow = (255 - np.asarray(band, np.float32) for band in image.split())
    black = np.minimum(np.minimum(cyan, magenta), yellow)
    paper = np.maximum(255 - black, 1)
    inks = [*((ink - black) * 255 / paper for ink in (cyan, magenta, yellow)), black]
    return Image.merge("CMYK", [Image.fromarray((ink + 0.5).astype(np.uint8)) for ink in inks])


def _paint_island(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """Sun in rings, a volcano in two lights, a sea in bands, a sailing boat."""
    horizon = height * 0.62
    for ring, colour in enumerate(("#f8bd76", "#f9c784", "#fbd298", "#fce0b0")):
        _disc(draw, width * 0.60, horizon * 0.56, width * (0.46 - 0.09 * ring), colour)
    _disc(draw, width * 0.60, horizon * 0.56, width * 0.125, "#f25f5c")
    for outline, colour in ((_HILLS, "#d98880"), (_VOLCANO, "#2e4a7d"), (_SUNLIT, "#c8553d")):
        draw.polygon([(x * width, y * height) for x, y in outline], fill=colour)
    for band in range(7):
        _wave(draw, width, height, horizon + (height - horizon) * (band / 7) ** 1.25, band)
    _boat(draw, width * 0.27, height * 0.80, width * 0.085)
    for x, y, wing in ((0.78, 0.13, 0.030), (0.84, 0.16, 0.022), (0.73, 0.18, 0.018)):
        _bird(draw, x * width, y * height, wing * width)


def _wave(draw: ImageDraw.ImageDraw, width: int, height: int, top: float, band: int) -> None:
    colours = ("#f4a261", "#3d7ea6", "#33709a", "#29618c", "#20537e", "#184570", "#123861")
    swing, length = height * 0.0022 * band, width / (9.5 - band)
    points = [(x, top + swing * math.sin(2 * math.pi * x / length + band * 1.9)) for x in range(0, width + 8, 8)]
    draw.polygon([*points, (width, height), (0, height)], fill=colours[band])


def _boat(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    draw.polygon(
        [(x - size, y), (x + size, y), (x + size * 0.62, y + size * 0.34), (x - size * 0.7, y + size * 0.34)],
        fill="#f3e6cf",
    )
    draw.polygon(
        [(x - size * 0.05, y - size * 0.10), (x - size * 0.05, y - size * 2.2), (x + size * 0.95, y - size * 0.10)],
        fill="#f3e6cf",
    )
    draw.polygon(
        [(x - size * 0.15, y - size * 0.10), (x - size * 0.15, y - size * 1.8), (x - size * 0.85, y - size * 0.10)],
        fill="#f25f5c",
    )


def _bird(draw: ImageDraw.ImageDraw, x: float, y: float, wing: float) -> None:
    line = [
        (x + wing * t, y - wing * 0.55 * abs(math.sin(math.pi * t)) ** 0.8) for t in np.linspace(-1, 1, 41).tolist()
    ]
    draw.line(line, fill="#2e4a7d", width=max(round(wing * 0.13), 1), joint="curve")


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
