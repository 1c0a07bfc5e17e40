"""Sharp things: a poster, a chart, a map, and balloons on nothing at all (they are transparent).

Shapes are drawn at three times the size and made smaller, so that every edge is smooth.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from img.scenes.light import gradient, linear, mix, smoothstep
from img.scenes.noise import Array, blurred, eroded, fractal

_OVER = 3


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
    _centred(draw, "ISLA SIN NOMBRE", columns / 2, rows - 195 * unit, 92 * unit, "#12355b", spread=0.08)
    _centred(draw, "TWO DAYS BY SHIP   ·   ONE NIGHT BY DREAM", columns / 2, rows - 88 * unit, 27 * unit, "#d1495b", spread=0.12)
    return image.resize(size, Image.Resampling.LANCZOS)


def chart(size: tuple[int, int]) -> Image.Image:
    """A page of figures as an application would show it."""
    image = Image.new("RGB", (size[0] * _OVER, size[1] * _OVER), "#0f1420")
    draw = ImageDraw.Draw(image)
    unit = image.width / 1600
    _text(draw, "Harbour overview", (60, 44), 40, "#f2f5fa", unit)
    _text(draw, "Tides, arrivals and light for the week of 14 October", (60, 100), 22, "#8492a8", unit)
    figures = (("Ships at berth", "42", "+6 %", "#4cc9f0"), ("Mean tide", "2.31 m", "-0.4 %", "#f7b267"),
               ("Water", "14.8 °C", "+0.2 °", "#80ed99"), ("Lamp hours", "11.6 h", "+3 %", "#f072b6"))
    for number, (name, figure, change, colour) in enumerate(figures):
        _tile(draw, (60 + number * 376, 160), (name, figure, change), colour, unit)
    _curves(draw, (60, 346, 1060, 1000), unit)
    _bars(draw, (1096, 346, 1540, 660), unit)
    _ring(draw, (1096, 690, 1540, 1000), unit)
    return image.resize(size, Image.Resampling.LANCZOS)


def contour_map(size: tuple[int, int]) -> Image.Image:
    """A walker's map of an archipelago: tints, hill shading, contour lines, names."""
    columns, rows = size[0] * 2, size[1] * 2
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / columns
    away = np.hypot(x - 0.52, (y - 0.5 * rows / columns) * 1.1)
    relief = eroded(x * 3.1 + 6.2, y * 3.1 + 2.4, 270, octaves=8, wear=0.6)
    height = blurred(relief + 0.20 - 1.5 * np.maximum(away - 0.22, 0), 1.5) * 1000
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


def balloons(size: tuple[int, int]) -> Image.Image:
    """Three balloons that let light through; around them is nothing."""
    columns, rows = size[0] * 2, size[1] * 2
    total = np.zeros((rows, columns, 4), np.float32)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x, y = (x + 0.5) / columns - 0.5, (y + 0.5) / columns
    knots = ((0.27, 0.33, 0.170, "#ffb703"), (-0.255, 0.40, 0.190, "#118ab2"), (0.02, 0.30, 0.215, "#ef476f"))
    for centre_x, centre_y, radius, text in knots:
        _over(total, *_string(x, y, (centre_x, centre_y + radius * 1.36), (0.03, rows / columns - 0.03)))
    for centre_x, centre_y, radius, text in knots:
        _over(total, *_balloon((x - centre_x) / radius, (y - centre_y) / radius, linear(text), 1 / columns / radius))
    flat = total.reshape(rows // 2, 2, columns // 2, 2, 4).mean(axis=(1, 3))
    colour = flat[..., :3] / np.maximum(flat[..., 3:], 1e-4)
    shown = np.concatenate([np.clip(colour, 0, 1) ** (1 / 2.2), flat[..., 3:]], axis=-1)
    return Image.fromarray((shown * 255 + 0.5).astype(np.uint8))


def _over(total: Array, colour: Array, cover: Array) -> None:
    """Lay a layer over what is there already; `total` holds colours multiplied by their cover."""
    total *= (1 - cover)[..., None]
    total[..., :3] += colour * cover[..., None]
    total[..., 3] += cover


def _balloon(x: Array, y: Array, tone: Array, pixel: float) -> tuple[Array, Array]:
    """A skin lit from the upper left: denser towards the edge, where one looks through more of it."""
    narrow = 1 - 0.13 * smoothstep(0.0, 1.25, y) - 0.05 * np.clip(y, 0, 2) ** 2
    across, down = x / narrow, y / 1.16
    distance = np.hypot(across, down)
    depth = np.sqrt(np.clip(1 - distance**2, 0, 1))
    skin = smoothstep(1 + pixel, 1 - pixel, distance)
    knot = smoothstep(pixel, -pixel, np.abs(x) - 0.028 - 0.55 * np.clip(y - 1.185, 0, 0.11)) * ((y > 1.13) & (y < 1.29))
    facing = -0.50 * across - 0.58 * down + 0.64 * depth
    lit = 0.26 + 0.70 * np.clip(facing, 0, 1) + 0.55 * np.clip(0.45 * across + 0.62 * down, 0, 1) ** 2.2
    colour = tone * lit[..., None] + 0.10 * (1 - depth[..., None]) ** 3
    window = np.exp(-(((across + 0.40) * 0.90 + (down + 0.46) * 0.62) / 0.085) ** 2 - (((across + 0.40) * -0.62 + (down + 0.46) * 0.9) / 0.20) ** 2)
    small = np.exp(-(((across - 0.46) / 0.05) ** 2) - ((down - 0.52) / 0.09) ** 2)
    colour = mix(colour, np.ones(3, np.float32), np.clip(window * 0.95 + small * 0.30, 0, 1))
    cover = np.clip(0.60 + 0.36 * (1 - depth) ** 1.4 + 0.4 * window, 0, 0.97)
    return colour, np.maximum(skin * cover, knot * 0.95)


def _string(x: Array, y: Array, start: tuple[float, float], end: tuple[float, float]) -> tuple[Array, Array]:
    share = np.clip((y - start[1]) / (end[1] - start[1]), 0, 1)
    ease = share * share * (3 - 2 * share)
    place = start[0] + (end[0] - start[0]) * ease + 0.008 * np.sin(share * 9 + start[0] * 20) * (1 - share)
    width = 1.6 / x.shape[1]
    cover = smoothstep(width * 2, width * 0.6, np.abs(x - place)) * ((y > start[1] - 0.02) & (y < end[1]))
    return np.broadcast_to(linear("#8d99ae"), (*x.shape, 3)), cover * 0.9


def _paint_island(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """Sun in rings, a volcano in two lights, a sea in bands, a sailing boat."""
    horizon = height * 0.62
    for ring, colour in enumerate(("#f8bd76", "#f9c784", "#fbd298", "#fce0b0")):
        _disc(draw, width * 0.60, horizon * 0.56, width * (0.46 - 0.09 * ring), colour)
    _disc(draw, width * 0.60, horizon * 0.56, width * 0.125, "#f25f5c")
    far = [(0, 0.56), (0.10, 0.50), (0.20, 0.545), (0.33, 0.47), (0.46, 0.55), (0.60, 0.53), (0.78, 0.57), (1, 0.54)]
    draw.polygon([*((x * width, y * height) for x, y in far), (width, horizon), (0, horizon)], fill="#d98880")
    peak = [(0.08, 0.62), (0.22, 0.47), (0.315, 0.33), (0.355, 0.275), (0.395, 0.290), (0.43, 0.272), (0.50, 0.37), (0.63, 0.52), (0.80, 0.62)]
    draw.polygon([(x * width, y * height) for x, y in peak], fill="#2e4a7d")
    lit = [(0.43, 0.272), (0.50, 0.37), (0.63, 0.52), (0.80, 0.62), (0.55, 0.62), (0.49, 0.50), (0.455, 0.44), (0.46, 0.37), (0.415, 0.31)]
    draw.polygon([(x * width, y * height) for x, y in lit], fill="#c8553d")
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
    draw.polygon([(x - size, y), (x + size, y), (x + size * 0.62, y + size * 0.34), (x - size * 0.7, y + size * 0.34)], fill="#f3e6cf")
    draw.polygon([(x - size * 0.05, y - size * 0.10), (x - size * 0.05, y - size * 2.2), (x + size * 0.95, y - size * 0.10)], fill="#f3e6cf")
    draw.polygon([(x - size * 0.15, y - size * 0.10), (x - size * 0.15, y - size * 1.8), (x - size * 0.85, y - size * 0.10)], fill="#f25f5c")


def _bird(draw: ImageDraw.ImageDraw, x: float, y: float, wing: float) -> None:
    line = [(x + wing * t, y - wing * 0.55 * abs(math.sin(math.pi * t)) ** 0.8) for t in np.linspace(-1, 1, 41).tolist()]
    draw.line(line, fill="#2e4a7d", width=max(round(wing * 0.13), 1), joint="curve")


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _tile(draw: ImageDraw.ImageDraw, place: tuple[int, int], words: tuple[str, str, str], colour: str, unit: float) -> None:
    x, y = place
    _panel(draw, (x, y, x + 352, y + 156), unit)
    draw.rounded_rectangle(_scaled((x + 24, y + 30, x + 30, y + 126), unit), radius=3 * unit, fill=colour)
    _text(draw, words[0], (x + 52, y + 24), 22, "#8492a8", unit)
    _text(draw, words[1], (x + 52, y + 60), 54, "#f2f5fa", unit)
    _text(draw, words[2], (x + 256, y + 88), 24, colour, unit)


def _curves(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: float) -> None:
    """Two tides over a week, the first with its area filled."""
    left, top, right, bottom = box
    _panel(draw, box, unit)
    _text(draw, "Tide, metres", (left + 30, top + 24), 26, "#f2f5fa", unit)
    inner_left, inner_right, base, high = left + 80, right - 30, bottom - 70, top + 100
    for line in range(6):
        y = base - (base - high) * line / 5
        draw.line(_scaled((inner_left, y, inner_right, y), unit), fill="#243047", width=round(1.5 * unit))
        _text(draw, f"{line:.0f}", (left + 36, y - 14), 22, "#8492a8", unit)
    for day, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        _text(draw, name, (inner_left + 24 + day * (inner_right - inner_left) / 7, base + 18), 22, "#8492a8", unit)
    share = np.linspace(0, 1, 900)
    for phase, colour, fill in ((1.3, "#f7b267", None), (0.0, "#4cc9f0", "#173a52")):
        tide = 0.5 + 0.30 * np.sin(share * 44 + phase) * (0.65 + 0.35 * np.cos(share * 6.3 + phase)) + 0.06 * np.sin(share * 9)
        x, y = inner_left + share * (inner_right - inner_left), base - tide * (base - high)
        points = [(px * unit, py * unit) for px, py in zip(x.tolist(), y.tolist(), strict=True)]
        if fill:
            draw.polygon([*points, (inner_right * unit, base * unit), (inner_left * unit, base * unit)], fill=fill)
        draw.line(points, fill=colour, width=round(4 * unit), joint="curve")


def _bars(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: float) -> None:
    left, top, right, bottom = box
    _panel(draw, box, unit)
    _text(draw, "Arrivals", (left + 30, top + 24), 26, "#f2f5fa", unit)
    for bar, arrivals in enumerate((9, 14, 11, 18, 22, 16, 7)):
        x = left + 34 + bar * 55
        colour = "#f072b6" if arrivals == 22 else "#4361ee"
        box_ = (x, bottom - 34 - arrivals * 8, x + 38, bottom - 34)
        draw.rounded_rectangle(_scaled(box_, unit), radius=8 * unit, fill=colour)


def _ring(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: float) -> None:
    left, top, right, bottom = box
    _panel(draw, box, unit)
    _text(draw, "Cargo", (left + 30, top + 24), 26, "#f2f5fa", unit)
    outer = _scaled((left + 40, top + 82, left + 240, top + 282), unit)
    inner = _scaled((left + 84, top + 126, left + 196, top + 238), unit)
    start = -90.0
    parts = (("Oranges", 38, "#f7b267"), ("Books", 27, "#4cc9f0"), ("Tea", 21, "#80ed99"), ("Wind", 14, "#f072b6"))
    for number, (name, percent, colour) in enumerate(parts):
        draw.pieslice(outer, start, start + percent * 3.6 - 2, fill=colour)
        start += percent * 3.6
        y = top + 94 + number * 46
        draw.rounded_rectangle(_scaled((left + 272, y + 5, left + 290, y + 23), unit), radius=5 * unit, fill=colour)
        _text(draw, name, (left + 302, y), 22, "#c3cddc", unit)
        _text(draw, f"{percent}", (left + 402, y), 22, "#8492a8", unit)
    draw.ellipse(inner, fill="#182030")


def _panel(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], unit: float) -> None:
    draw.rounded_rectangle(_scaled(box, unit), radius=18 * unit, fill="#182030", outline="#243047", width=round(2 * unit))


def _scaled(box: tuple[float, float, float, float], unit: float) -> tuple[float, float, float, float]:
    return box[0] * unit, box[1] * unit, box[2] * unit, box[3] * unit


def _text(
    draw: ImageDraw.ImageDraw, words: str, place: tuple[float, float], size: float, colour: str, unit: float
) -> None:
    draw.text((place[0] * unit, place[1] * unit), words, font=ImageFont.load_default(size * unit), fill=colour)


def _centred(
    draw: ImageDraw.ImageDraw, words: str, x: float, y: float, size: float, colour: str, *, spread: float
) -> None:
    """A line of letters set wide, `spread` times the size between them, around `x`."""
    font = ImageFont.load_default(size)
    widths = [draw.textlength(letter, font=font) + spread * size for letter in words]
    left = x - (sum(widths) - spread * size) / 2
    for letter, width in zip(words, widths, strict=True):
        draw.text((left, y), letter, font=font, fill=colour)
        left += width


def _stepped(height: Array, step: float) -> Array:
    return np.floor(height / step) * step + step / 2


def _contours(tint: Array, height: Array, steep: Array, pixel: float) -> Array:
    """Lines each 25 m of height, every fourth of them stronger, the shore strongest; `steep` is metres per pixel."""
    rise = np.maximum(np.hypot(*np.gradient(height)), 0.05)
    for step, width, colour, where in ((25, 0.55, "#9a6b43", height > 5), (100, 0.95, "#7d4f2c", height > 5), (100, 0.5, "#6fa5ba", height < -5)):
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
    _text(draw, "Archipiélago Imaginario", (60, 56), 44, "#1f4b5f", unit)
    _text(draw, "1 : 25 000   ·   contour interval 25 m", (62, 112), 22, "#3c6e85", unit)
    draw.rectangle((14 * unit, 14 * unit, columns - 14 * unit, rows - 14 * unit), outline="#1f4b5f", width=round(3 * unit))


def _summit(draw: ImageDraw.ImageDraw, x: float, y: float, words: str, unit: float) -> None:
    size = 8 * unit
    draw.polygon([(x - size, y + size * 0.8), (x, y - size), (x + size, y + size * 0.8)], fill="#3b2a1a")
    font = ImageFont.load_default(22 * unit)
    draw.text((x + 14 * unit, y - 13 * unit), words, font=font, fill="#3b2a1a", stroke_width=round(3 * unit), stroke_fill="#f6f1e4")
