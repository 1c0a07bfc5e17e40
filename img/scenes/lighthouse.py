"""A lighthouse at night, in flat tones: a GIF has few colours, and even ones take little room."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from img.scenes.light import gradient, linear, mix, smoothstep
from img.scenes.noise import Array, fractal

_FRAMES = 28
#: Pixels painted per pixel shown, along each side.
_OVER = 2
#: In units of the width: where the lamp hangs and where the sea begins, both from the upper left.
_LAMP = (0.665, 0.205)
_HORIZON = 0.43


def turning_lamp(size: tuple[int, int]) -> tuple[Image.Image, ...]:
    """Half a turn of a lamp with two beams, after which all is as it was."""
    columns, rows = size[0] * _OVER, size[1] * _OVER
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / columns
    night, tower = _night(x, y), _tower((columns, rows))
    angles = (math.pi * frame / _FRAMES for frame in range(_FRAMES))
    return tuple(_frame(night, tower, x, y, angle).resize(size, Image.Resampling.BOX) for angle in angles)


def _frame(night: Array, tower: Image.Image, x: Array, y: Array, angle: float) -> Image.Image:
    lit = mix(night, linear("#ffe9a8"), 0.78 * _steps(_beams(x, y, angle), 5))
    lit = mix(lit, linear("#ffdf94"), 0.9 * _steps(_glints(x, y, angle), 3))
    shown = Image.fromarray((np.clip(lit, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8))
    shown.paste(tower, mask=tower)
    # Straight into our eyes the lamp shines twice in a turn, so once in each round of the frames.
    dazzle = max(math.sin(angle), 0) ** 40
    draw = ImageDraw.Draw(shown, "RGBA")
    for ring, cover in ((0.060, 60), (0.034, 110), (0.012 + 0.008 * dazzle, 255)):
        _disc(draw, shown.width, ring * (0.45 + 0.55 * dazzle), (255, 241, 194, cover))
    return shown


def _steps(amount: Array, count: int) -> Array:
    stepped: Array = np.floor(np.clip(amount, 0, 0.999) * (count + 1)) / count
    return stepped


def _night(x: Array, y: Array) -> Array:
    """Bands of sky around the moon, stars, the sea in bands, the moon's road on it."""
    moon = np.hypot(x - 0.20, y - 0.16)
    sky = gradient(_steps(smoothstep(0.75, 0.0, moon), 7), [(0, "#0e1b3d"), (0.5, "#1e3a66"), (1, "#3f6f95")])
    sky = mix(sky, linear("#f6ecd0"), (moon < 0.047) * (np.hypot(x - 0.223, y - 0.150) > 0.040))
    sky = mix(sky, linear("#e8eef6"), _stars(x, y) * (moon > 0.09))
    depth = _steps((y - _HORIZON) / 0.30, 5)
    sea = gradient(depth, [(0, "#234f74"), (0.4, "#173a5e"), (1, "#0b1d3c")])
    road = np.exp(-(((x - 0.20) / (0.03 + 0.25 * np.maximum(y - _HORIZON, 0))) ** 2))
    sea = mix(sea, linear("#cfd9d6"), 0.55 * (_waves(x, y) * road > 0.30))
    return np.where((y < _HORIZON)[..., None], sky, sea)


def _stars(x: Array, y: Array) -> Array:
    rng = np.random.default_rng(301)
    seen = np.zeros_like(x)
    for across, down, radius in zip(*rng.uniform((0, 0, 0.6), (1, _HORIZON, 1.5), (70, 3)).T.tolist(), strict=True):
        seen = np.maximum(seen, np.hypot(x - across, y - down) < radius * 0.0016)
    return seen


def _waves(x: Array, y: Array) -> Array:
    """Crests in [0, 1], drawn together towards the horizon."""
    far = 0.05 / np.maximum(y - _HORIZON + 0.012, 0.012)
    return np.clip(0.5 + fractal(x * far * 26, far * 42, 305, octaves=3), 0, 1) * (y > _HORIZON)


def _beams(x: Array, y: Array, angle: float) -> Array:
    """The light that the air scatters out of both cones, as one sees it from the side.

    A line of sight crosses a cone of spread `a` within about r·a, and the light there is thinned as 1/r²; the closer
    a beam points to us or away from us, the shorter and the wider it looks.
    """
    across, down = x - _LAMP[0], y - _LAMP[1]
    along = math.cos(angle)
    reach = np.maximum(np.abs(across), 0.004)
    width = 0.085 * reach / max(abs(along), 0.05) + 0.004
    shape = np.exp(-((down / width) ** 2)) * np.exp(-reach / max(0.55 * abs(along), 0.02))
    # Each side has its own beam, of the same length: what one turns away the other turns near.
    return np.clip(1.12 * shape, 0, 1)


def _glints(x: Array, y: Array, angle: float) -> Array:
    """Where the beams sweep over the water; there are two of them, half a turn apart."""
    ahead = 0.030 / np.maximum(y - _HORIZON + 0.004, 0.004) - 0.10
    azimuth = np.arctan2(0.28 - 0.55 * ahead, x - _LAMP[0])
    aimed = np.exp(-((np.angle(np.exp(2j * (azimuth - angle))) / 0.32) ** 2))
    swept: Array = aimed * smoothstep(0.45, 0.62, _waves(x, y)) * (y > _HORIZON + 0.006)
    return swept


def _tower(size: tuple[int, int]) -> Image.Image:
    """The rock and the lighthouse on it, on nothing."""
    picture = Image.new("RGBA", size)
    draw = ImageDraw.Draw(picture)
    unit, x = size[0], _LAMP[0]
    _rock(draw, size)
    for stripe in range(6):
        top, bottom = (_LAMP[1] + 0.030 + 0.036 * (stripe + edge) for edge in (0, 1))
        narrow, wide = (0.024 + 0.075 * (place - _LAMP[1] - 0.030) for place in (top, bottom))
        for share, shade in ((1.0, ("#c9433f", "#e9e4d6")), (0.15, ("#8f2b33", "#b3b4b8"))):
            outline = [(x - narrow * share, top), (x + narrow, top), (x + wide, bottom), (x - wide * share, bottom)]
            draw.polygon([(across * unit, down * unit) for across, down in outline], fill=shade[stripe % 2])
    for left, top, right, bottom, colour in (
        (-0.033, 0.022, 0.033, 0.031, "#131c33"),
        (-0.019, -0.019, 0.019, 0.022, "#ffd774"),
        (-0.002, -0.019, 0.002, 0.022, "#131c33"),
        (-0.024, -0.026, 0.024, -0.018, "#131c33"),
    ):
        corners = (x + left, _LAMP[1] + top, x + right, _LAMP[1] + bottom)
        draw.rectangle([corner * unit for corner in corners], fill=colour)
    roof = [(x - 0.022, _LAMP[1] - 0.026), (x + 0.022, _LAMP[1] - 0.026), (x, _LAMP[1] - 0.055)]
    draw.polygon([(across * unit, down * unit) for across, down in roof], fill="#a3323a")
    return picture


def _rock(draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(302)
    for left, right, top, colour in ((0.44, 1.02, 0.445, "#1a2540"), (0.54, 1.02, 0.475, "#111a30")):
        places = np.linspace(left, right, 22)
        rise = np.interp(places, (left, left + 0.13, 0.80, 1.02), (0.66, top + 0.01, top - 0.02, top + 0.05))
        jagged = rise + rng.uniform(-0.008, 0.008, 22)
        outline = [(x * size[0], y * size[0]) for x, y in zip(places.tolist(), jagged.tolist(), strict=True)]
        draw.polygon([*outline, (size[0], size[1]), (left * size[0], size[1])], fill=colour)


def _disc(draw: ImageDraw.ImageDraw, unit: int, radius: float, colour: tuple[int, int, int, int]) -> None:
    x, y = _LAMP
    draw.ellipse([place * unit for place in (x - radius, y - radius, x + radius, y + radius)], fill=colour)
