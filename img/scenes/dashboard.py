"""A page of figures: panels, curves, bars and a ring, drawn at three times the size."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from img.scenes.lettering import words_at

_OVER = 3


def chart(size: tuple[int, int]) -> Image.Image:
    """A page of figures as an application would show it."""
    image = Image.new("RGB", (size[0] * _OVER, size[1] * _OVER), "#0f1420")
    draw = ImageDraw.Draw(image)
    unit = image.width / 1600
    words_at(draw, "Harbour overview", (60, 44), 40, "#f2f5fa", unit)
    words_at(draw, "Tides, arrivals and light for the week of 14 October", (60, 100), 22, "#8492a8", unit)
    figures = (
        ("Ships at berth", "42", "+6 %", "#4cc9f0"),
        ("Mean tide", "2.31 m", "-0.4 %", "#f7b267"),
        ("Water", "14.8 °C", "+0.2 °", "#80ed99"),
        ("Lamp hours", "11.6 h", "+3 %", "#f072b6"),
    )
    for number, (name, figure, change, colour) in enumerate(figures):
        _tile(draw, (60 + number * 376, 160), (name, figure, change), colour, unit)
    _curves(draw, (60, 346, 1060, 1000), unit)
    _bars(draw, (1096, 346, 1540, 660), unit)
    _ring(draw, (1096, 690, 1540, 1000), unit)
    return image.resize(size, Image.Resampling.LANCZOS)


def _tile(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], words: tuple[str, str, str], colour: str, unit: float
) -> None:
    x, y = place
    _panel(draw, (x, y, x + 352, y + 156), unit)
    draw.rounded_rectangle(_scaled((x + 24, y + 30, x + 30, y + 126), unit), radius=3 * unit, fill=colour)
    words_at(draw, words[0], (x + 52, y + 24), 22, "#8492a8", unit)
    words_at(draw, words[1], (x + 52, y + 60), 54, "#f2f5fa", unit)
    words_at(draw, words[2], (x + 256, y + 88), 24, colour, unit)


def _curves(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: float) -> None:
    """Two tides over a week, the first with its area filled."""
    left, top, right, bottom = box
    _panel(draw, box, unit)
    words_at(draw, "Tide, metres", (left + 30, top + 24), 26, "#f2f5fa", unit)
    inner_left, inner_right, base, high = left + 80, right - 30, bottom - 70, top + 100
    for line in range(6):
        y = base - (base - high) * line / 5
        draw.line(_scaled((inner_left, y, inner_right, y), unit), fill="#243047", width=round(1.5 * unit))
        words_at(draw, f"{line:.0f}", (left + 36, y - 14), 22, "#8492a8", unit)
    for day, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        words_at(draw, name, (inner_left + 24 + day * (inner_right - inner_left) / 7, base + 18), 22, "#8492a8", unit)
    share = np.linspace(0, 1, 900)
    for phase, colour, fill in ((0.0, "#4cc9f0", "#173a52"), (1.3, "#f7b267", None)):
        tide = (
            0.5
            + 0.30 * np.sin(share * 44 + phase) * (0.65 + 0.35 * np.cos(share * 6.3 + phase))
            + 0.06 * np.sin(share * 9)
        )
        xs, ys = inner_left + share * (inner_right - inner_left), base - tide * (base - high)
        points = [(across * unit, down * unit) for across, down in zip(xs.tolist(), ys.tolist(), strict=True)]
        if fill:
            draw.polygon([*points, (inner_right * unit, base * unit), (inner_left * unit, base * unit)], fill=fill)
        draw.line(points, fill=colour, width=round(4 * unit), joint="curve")


def _bars(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: float) -> None:
    left, top, right, bottom = box
    _panel(draw, box, unit)
    words_at(draw, "Arrivals", (left + 30, top + 24), 26, "#f2f5fa", unit)
    for bar, arrivals in enumerate((9, 14, 11, 18, 22, 16, 7)):
        x = left + 34 + bar * 55
        colour = "#f072b6" if arrivals == 22 else "#4361ee"
        box_ = (x, bottom - 34 - arrivals * 8, x + 38, bottom - 34)
        draw.rounded_rectangle(_scaled(box_, unit), radius=8 * unit, fill=colour)


def _ring(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: float) -> None:
    left, top, right, bottom = box
    _panel(draw, box, unit)
    words_at(draw, "Cargo", (left + 30, top + 24), 26, "#f2f5fa", unit)
    outer = _scaled((left + 40, top + 82, left + 240, top + 282), unit)
    inner = _scaled((left + 84, top + 126, left + 196, top + 238), unit)
    start = -90.0
    parts = (("Oranges", 38, "#f7b267"), ("Books", 27, "#4cc9f0"), ("Tea", 21, "#80ed99"), ("Wind", 14, "#f072b6"))
    for number, (name, percent, colour) in enumerate(parts):
        draw.pieslice(outer, start, start + percent * 3.6 - 2, fill=colour)
        start += percent * 3.6
        y = top + 94 + number * 46
        draw.rounded_rectangle(_scaled((left + 272, y + 5, left + 290, y + 23), unit), radius=5 * unit, fill=colour)
        words_at(draw, name, (left + 302, y), 22, "#c3cddc", unit)
        words_at(draw, f"{percent}", (left + 402, y), 22, "#8492a8", unit)
    draw.ellipse(inner, fill="#182030")


def _panel(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: float) -> None:
    draw.rounded_rectangle(
        _scaled(box, unit), radius=18 * unit, fill="#182030", outline="#243047", width=round(2 * unit)
    )


def _scaled(box: tuple[float, float, float, float], unit: float) -> tuple[float, float, float, float]:
    return box[0] * unit, box[1] * unit, box[2] * unit, box[3] * unit
