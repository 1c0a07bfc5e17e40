"""Mist: ridge behind ridge at sunrise, and spruces in fog."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from img.scenes.light import bloom, developed, gradient, linear, mix, rgb, smoothstep
from img.scenes.noise import Array, fractal, spectral

_RIDGES = 9


def ridges(size: tuple[int, int]) -> Image.Image:
    """Wooded mountains at sunrise, each ridge paler than the one before it. Painted in bands of rows: it may be large."""
    columns, rows = size
    x = (np.arange(columns, dtype=np.float32) + 0.5) / columns
    skylines = [_skyline(x, layer) for layer in range(_RIDGES)]
    relief = spectral((1024, 1024), 180, slope=1.15)
    light = np.empty((rows, columns, 3), np.float32)
    for top in range(0, rows, 256):
        y = (np.arange(top, min(top + 256, rows), dtype=np.float32) + 0.5)[:, None] / rows
        light[top : top + 256] = _band(x[None, :], y, skylines, relief, 1 / rows)
    return developed(light, 10, grain=0.004, vignette=0.12)


def foggy_forest(size: tuple[int, int]) -> Image.Image:
    """Spruces in morning fog, and light that falls in between them."""
    columns, rows = size
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x, y = x / columns, y / rows
    source = np.exp(-(((x - 0.54) / 0.42) ** 2) - ((y - 0.22) / 0.42) ** 2)
    light = mix(linear("#b5bda9"), rgb(1.75, 1.55, 1.05), source)
    rng = np.random.default_rng(190)
    layers = 8
    for layer in range(layers):
        near = (layer + 1) / layers
        mask = _spruces(size, rng, near)
        wood = mix(linear("#8c988a"), linear("#0d120d"), near**0.55) * (1 + 0.9 * source * (1 - near))[..., None]
        light = mix(light, wood, mask * (0.30 + 0.70 * near**0.8))
        drift = fractal(x * 2.2 + layer * 3.1, y * 5 + layer, 191 + layer, octaves=5)
        fog = np.clip(0.25 + 0.55 * drift + 0.95 * smoothstep(0.35, 1.0, y), 0, 1) * (0.50 * (1 - near) + 0.04)
        light = mix(light, mix(linear("#a3ad9f"), rgb(1.5, 1.32, 0.92), source), fog)
    light = light + _shafts(light, 0.54, 0.02)[..., None] * rgb(0.95, 0.80, 0.48)
    return developed(bloom(light, threshold=0.9, radius=columns / 25, strength=0.35), 11, grain=0.016)


def _skyline(x: Array, layer: int) -> Array:
    """Row (as a share of the height) where a ridge begins, trees included; layer 0 is the farthest."""
    near = layer / (_RIDGES - 1)
    place = 0.40 + 0.60 * near**1.25
    wide = 2.0 + 1.2 * near
    shape = fractal(x * wide + layer * 17.3, x * 0 + layer * 5.1, 200 + layer, octaves=7, gain=0.46)
    line = place - (0.085 + 0.10 * near) * shape - 0.05 * near * np.abs(x - 0.5)
    if near < 0.4:
        return line
    return line - _treetops(x, layer) * (0.004 + 0.030 * near**3)


def _treetops(x: Array, layer: int) -> Array:
    """Conifers as seen against the light: pointed, of uneven height, with ragged sides; 0 to 1."""
    total = np.zeros_like(x)
    near = layer / (_RIDGES - 1)
    for row, dense in ((0, 620.0), (1, 430.0), (2, 290.0)):
        across = x * dense * (1.25 - near) + row * 0.37
        tree = np.floor(across).astype(np.int64)
        chance = np.random.default_rng(210 + 10 * layer + row).uniform(0, 1, (2, 2048))
        height = 0.35 + 0.65 * chance[0][tree % 2048] ** 1.5
        offset = np.abs(across - tree - 0.5 - 0.3 * (chance[1][tree % 2048] - 0.5)) * 2
        ragged = 0.16 * np.abs(((offset * 7 + 9 * chance[1][tree % 2048]) % 1) - 0.5)
        total = np.maximum(total, height * np.clip(1 - offset**0.8 * 1.15 - ragged, 0, 1))
    return total.astype(np.float32)


def _band(x: Array, y: Array, skylines: list[Array], relief: Array, pixel: float) -> Array:
    """Some rows of the picture: the sky, then every ridge over the one behind it."""
    sun = np.hypot((x - 0.64) * 1.5, y - 0.315)
    light = gradient(y + 0 * x, [(0, "#5b7fb0"), (0.16, "#a3b1c6"), (0.30, "#f3cfa8"), (0.44, "#ffd9a0")])
    light += np.exp(-sun * 8)[..., None] * rgb(1.5, 0.85, 0.35) + smoothstep(0.026, 0.0245, sun)[..., None] * rgb(14, 11, 7)
    warm = np.exp(-np.abs(x - 0.64) * 2.4)
    for layer, skyline in enumerate(skylines):
        near = layer / (_RIDGES - 1)
        below = y - skyline
        if below.max() < -pixel:
            continue
        tone = gradient(np.full_like(x, near), [(0, "#dba98c"), (0.25, "#a58d9c"), (0.5, "#5f6f8c"), (0.75, "#2d4257"), (1, "#101c26")])
        tone = tone * (1 + (0.9 * (1 - near) ** 1.5) * warm)[..., None]
        slope = tone * (1 + 0.42 * near**0.5 * _relief(relief, x, below, layer))[..., None]
        mist = mix(linear("#b9aab2"), rgb(1.25, 0.82, 0.52), warm * (1 - 0.6 * near))
        lying = smoothstep(0.0, 0.17, below) * (0.92 - 0.62 * near)
        light = mix(light, mix(slope, mist, lying), smoothstep(-pixel, pixel, below))
    return light


def _relief(relief: Array, x: Array, below: Array, layer: int) -> Array:
    """Gullies that run down a slope, read from one tile."""
    across = ((x * (900 + 260 * layer)).astype(np.int64) + 331 * layer) % 1024
    down = (np.maximum(below, 0) * (900 + 200 * layer)).astype(np.int64) % 1024
    return relief[down, across + 0 * down] * smoothstep(0.0, 0.02, below)


def _spruces(size: tuple[int, int], rng: np.random.Generator, near: float) -> Array:
    """How much the trees of one distance cover of each pixel; drawn at twice the size."""
    columns, rows = size[0] * 2, size[1] * 2
    mask = Image.new("L", (columns, rows))
    draw = ImageDraw.Draw(mask)
    count = round(26 - 21 * near)
    for number in range(count):
        foot_x = (number + float(rng.uniform(-0.35, 1.35))) / count * columns
        height = rows * (0.20 + 0.95 * near**1.3) * float(rng.uniform(0.75, 1.2))
        foot_y = rows * (0.60 + 0.55 * near**1.2 + float(rng.uniform(-0.02, 0.03)))
        if near > 0.7 and 0.30 < foot_x / columns < 0.74:
            continue
        _spruce(draw, rng, (foot_x, foot_y), height)
    ground = rows * (0.60 + 0.50 * near**1.1)
    points = np.arange(0, columns + 40, 40)
    hill = fractal(points.astype(np.float32) / columns * 4, points * 0.0 + near * 9, 220, octaves=4) * rows * 0.03
    draw.polygon([(0, rows), *zip(points.tolist(), (ground + hill).tolist(), strict=True), (columns, rows)], fill=255)
    return np.asarray(mask.resize(size, Image.Resampling.BOX), np.float32) / 255


def _spruce(draw: ImageDraw.ImageDraw, rng: np.random.Generator, foot: tuple[float, float], height: float) -> None:
    x, y = foot
    trunk = height * 0.011
    draw.polygon([(x - trunk, y), (x, y - height), (x + trunk, y)], fill=255)
    whorls = 46
    for whorl in range(whorls):
        down = (whorl + float(rng.uniform(0, 0.8))) / whorls
        top = y - height * (1 - 0.86 * down)
        for side in (-1, 1):
            reach = height * (0.012 + 0.155 * down**0.85) * float(rng.uniform(0.6, 1.15)) * side
            droop = height * (0.012 + 0.050 * down) * float(rng.uniform(0.8, 1.3))
            tip = (x + reach, top + droop)
            draw.polygon([(x, top), tip, (x + reach * 0.72, top + droop * 1.28), (x, top + height * 0.032)], fill=255)
            for twig in (0.35, 0.55, 0.75, 0.9):
                root_x, root_y = x + reach * twig, top + droop * twig
                hang = height * float(rng.uniform(0.012, 0.030)) * (0.4 + down)
                draw.polygon([(root_x - reach * 0.09, root_y), (root_x + reach * 0.05, root_y + hang), (root_x + reach * 0.09, root_y)], fill=255)


def _shafts(light: Array, x: float, y: float) -> Array:
    """Rays from (x, y) through the gaps: the bright parts drawn out away from it, at a quarter of the size."""
    rows, columns = light.shape[:2]
    bright = Image.fromarray(smoothstep(0.35, 1.0, light.mean(axis=-1)).astype(np.float32))
    small = bright.resize((columns // 4, rows // 4), Image.Resampling.BOX)
    total = np.zeros((small.height, small.width), np.float32)
    steps = 40
    for step in range(steps):
        zoom = 1 - 0.85 * step / steps
        shift = (x * small.width * (1 - zoom), y * small.height * (1 - zoom))
        moved = small.transform(small.size, Image.Transform.AFFINE, (zoom, 0, shift[0], 0, zoom, shift[1]), Image.Resampling.BILINEAR)
        total += np.asarray(moved) * (1 - step / steps)
    away = Image.fromarray((total / steps * 1.6) ** 2.2)
    return np.asarray(away.resize((columns, rows), Image.Resampling.BICUBIC)) * 0.55
