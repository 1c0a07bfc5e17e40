"""A walker's map of an island: tints, hill shading, contour lines, names."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from img.scenes.lettering import words_at
from img.scenes.light import gradient, linear, mix, smoothstep
from img.scenes.noise import Array, blurred, eroded


def contour_map(size: tuple[int, int]) -> Image.Image:
    """A walker's map of an archipelago: tints, hill shading, contour lines, names."""
    columns, rows = size[0] * 2, size[1] * 2
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / columns
    away = np.hypot(x - 0.52, (y - 0.5 * rows / columns) * 1.1)
    relief = eroded(x * 3.1 + 6.75, y * 3.1 + 2.4, 270, octaves=8, wear=0.6)
    height = blurred(1.25 * relief + 0.22 - 2.2 * np.maximum(away - 0.24, 0), 1.5) * 1000
    sea = [(-700, "#8fc1d4"), (-350, "#a3cfdd"), (-120, "#bcdfe6"), (-20, "#d3ecec")]
    land = [(0, "#dfe8c4"), (120, "#cfe0ae"), (260, "#e9e2b4"), (420, "#e3c995"), (560, "#cfa57a"), (700, "#f4efe8")]
    tint = np.where((height > 0)[..., None], gradient(_stepped(height, 50), land), gradient(_stepped(height, 100), sea))
    slope_y, slope_x = np.gradient(height, 1000 / columns)
    shade = np.clip(1 - 0.085 * (slope_x + slope_y) / 100, 0.62, 1.18)
    tint = np.where((height > 0)[..., None], tint * (np.round(shade * 12) / 12)[..., None], tint)
    steep = np.hypot(slope_x, slope_y) * 1000 / columns / columns * 1000
    tint = _contours(tint, height, steep / 1000, columns / size[0])
    shown = np.clip(tint, 0, 1) ** (1 / 2.2) * 255 + 0.5
    image = Image.fromarray(shown.astype(np.uint8)).resize(size, Image.Resampling.LANCZOS)
    _map_margin(image, np.asarray(Image.fromarray(height).resize(size, Image.Resampling.BOX)))
    return image


def _stepped(height: Array, step: float) -> Array:
    return np.floor(height / step) * step + step / 2


def _contours(tint: Array, height: Array, steep: Array, pixel: float) -> Array:
    """Lines each 25 m of height, every fourth of them stronger, the shore strongest; `steep` is metres per pixel."""
    rise = np.maximum(np.hypot(*np.gradient(height)), 0.05)
    for step, width, colour, where in (
        (25, 0.55, "#9a6b43", height > 5),
        (100, 0.95, "#7d4f2c", height > 5),
        (100, 0.5, "#6fa5ba", height < -5),
    ):
        distance = np.abs((height / step + 0.5) % 1 - 0.5) * step / rise
        line = smoothstep(width * pixel + 0.7, width * pixel - 0.7, distance) * where
        tint = mix(tint, linear(colour), line * 0.75)
    return mix(tint, linear("#3c6e85"), smoothstep(1.4 * pixel + 0.7, 1.4 * pixel - 0.7, np.abs(height) / rise))


def _map_margin(image: Image.Image, height: Array) -> None:
    """A frame, a grid, the highest points with their heights, names."""
    draw = ImageDraw.Draw(image)
    columns, rows = image.size
    unit = columns / 1400
    for line in range(1, 7):
        draw.line((columns * line / 7, 0, columns * line / 7, rows), fill="#8fb3bf", width=1)
        draw.line((0, columns * line / 7, columns, columns * line / 7), fill="#8fb3bf", width=1)
    left = height.copy()
    for name in ("Pico Alto", "Monte Claro", "El Viejo", "Tres Hermanas"):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        _summit(draw, float(column), float(row), f"{name}  {left[row, column]:.0f}", unit)
        reach = round(150 * unit)
        left[max(row - reach, 0) : row + reach, max(column - reach, 0) : column + reach] = -1e6
    words_at(draw, "Islas Imaginarias", (60, 56), 44, "#1f4b5f", unit)
    words_at(draw, "1 : 25 000   ·   contour interval 25 m", (62, 112), 22, "#3c6e85", unit)
    draw.rectangle(
        (14 * unit, 14 * unit, columns - 14 * unit, rows - 14 * unit), outline="#1f4b5f", width=round(3 * unit)
    )


def _summit(draw: ImageDraw.ImageDraw, x: float, y: float, words: str, unit: float) -> None:
    size = 8 * unit
    draw.polygon([(x - size, y + size * 0.8), (x, y - size), (x + size, y + size * 0.8)], fill="#3b2a1a")
    font = ImageFont.load_default(22 * unit)
    draw.text(
        (x + 14 * unit, y - 13 * unit),
        words,
        font=font,
        fill="#3b2a1a",
        stroke_width=round(3 * unit),
        stroke_fill="#f6f1e4",
    )
