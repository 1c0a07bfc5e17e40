"""Mist: ridge behind ridge at sunrise, and spruces in fog."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from img.scenes.light import bloom, developed, gradient, linear, mix, rgb, smoothstep
from img.scenes.noise import Array, fractal, ridged, spectral

_RIDGES = 9


def ridges(size: tuple[int, int]) -> Image.Image:
    """Wooded mountains at sunrise, each ridge paler than the one before it."""
    columns, rows = size
    x = (np.arange(columns, dtype=np.float32) + 0.5) / columns
    crests = [_crest(x, layer) for layer in range(_RIDGES)]
    skylines = [crest - _treetops(x, layer) for layer, crest in enumerate(crests)]
    relief = spectral((1024, 1024), 180, slope=1.15)
    light = np.empty((rows, columns, 3), np.float32)
    # Band by band: at 24 MP each array of the whole would take 300 MB.
    for top in range(0, rows, 256):
        y = (np.arange(top, min(top + 256, rows), dtype=np.float32) + 0.5)[:, None] / rows
        light[top : top + 256] = _band(x[None, :], y, list(zip(crests, skylines, strict=True)), relief)
    return developed(light, 10, grain=0.004, vignette=0.12)


def foggy_forest(size: tuple[int, int]) -> Image.Image:
    """Spruces in morning fog, and light that falls in between them."""
    columns, rows = size
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x, y = x / columns, y / rows
    source = np.exp(-(((x - 0.54) / 0.42) ** 2) - ((y - 0.22) / 0.42) ** 2)
    light = mix(linear("#8fa09b"), rgb(1.55, 1.28, 0.78), source)
    rng = np.random.default_rng(190)
    sprites = [_spruce(230 + number) for number in range(5)]
    layers = 8
    for layer in range(layers):
        near = (layer + 1) / layers
        mask = _spruces(size, rng, sprites, near)
        wood = mix(linear("#7b8d85"), linear("#0b1412"), near**0.55) * (1 + 0.9 * source * (1 - near))[..., None]
        light = mix(light, wood, mask * (0.30 + 0.70 * near**0.8))
        drift = fractal(x * 2.2 + layer * 3.1, y * 5 + layer, 191 + layer, octaves=5)
        fog = np.clip(0.25 + 0.55 * drift + 0.95 * smoothstep(0.35, 1.0, y), 0, 1) * (0.50 * (1 - near) + 0.04)
        light = mix(light, mix(linear("#84968f"), rgb(1.35, 1.08, 0.66), source * (1 - 0.5 * near)), fog)
    light = light + _shafts(light, 0.54, 0.02)[..., None] * rgb(0.95, 0.80, 0.48)
    return developed(bloom(light, threshold=0.9, radius=columns / 25, strength=0.35), 11, grain=0.016)


def _crest(x: Array, layer: int) -> Array:
    """Row (as a share of the height) where the ground of a ridge begins; layer 0 is the farthest."""
    near = layer / (_RIDGES - 1)
    wide = 2.6 - 0.6 * near
    across, offset = x * wide + layer * 17.3 + 0.4, x * 0 + layer * 5.1
    rounded = fractal(across, offset, 200 + layer, octaves=8, gain=0.47)
    peaked = 1.3 * ridged(across * 0.8, offset, 240 + layer, octaves=8) - 0.75
    shape = mix(peaked, rounded, smoothstep(0.1, 0.6, np.asarray(near)))
    crest: Array = 0.43 + 0.55 * near**1.2 - (0.13 + 0.03 * near) * shape - 0.10 * near * (np.abs(x - 0.55) - 0.25)
    return crest


def _treetops(x: Array, layer: int) -> Array:
    """Conifers as seen against the light: pointed, of uneven height, with ragged sides; a share of the height."""
    total = np.zeros_like(x)
    near = layer / (_RIDGES - 1)
    if near < 0.4:
        return total
    for row, dense in ((0, 620.0), (1, 430.0), (2, 290.0)):
        across = x * dense * (1.25 - near) + row * 0.37
        tree = np.floor(across).astype(np.int64)
        chance = np.random.default_rng(210 + 10 * layer + row).uniform(0, 1, (2, 2048))
        height = 0.35 + 0.65 * chance[0][tree % 2048] ** 1.5
        offset = np.abs(across - tree - 0.5 - 0.3 * (chance[1][tree % 2048] - 0.5)) * 2
        ragged = 0.16 * np.abs(((offset * 7 + 9 * chance[1][tree % 2048]) % 1) - 0.5)
        total = np.maximum(total, height * np.clip(1 - offset**0.8 * 1.15 - ragged, 0, 1))
    return total.astype(np.float32) * (0.004 + 0.030 * near**3)


def _band(x: Array, y: Array, layers: list[tuple[Array, Array]], relief: Array) -> Array:
    """Some rows of the picture: the sky, then every ridge over the one behind it."""
    sun = np.hypot((x - 0.64) * 1.5, y - 0.315)
    light = gradient(y + 0 * x, [(0, "#5b7fb0"), (0.16, "#a3b1c6"), (0.30, "#efc2a6"), (0.44, "#f8bd98")])
    light += np.exp(-sun * 8)[..., None] * rgb(1.5, 0.85, 0.35) + smoothstep(0.026, 0.0245, sun)[..., None] * rgb(
        9, 6, 3
    )
    warm = np.exp(-np.abs(x - 0.64) * 2.4)
    pixel = float(x[0, 1] - x[0, 0]) * 1.5
    for layer, (crest, skyline) in enumerate(layers):
        near = layer / (_RIDGES - 1)
        below = np.maximum(y - crest, 0)
        tone = gradient(
            np.full_like(x, near),
            [(0, "#dba98c"), (0.25, "#a58d9c"), (0.5, "#5f6f8c"), (0.75, "#2d4257"), (1, "#101c26")],
        )
        tone = tone * (1 + (0.9 * (1 - near) ** 1.5) * warm)[..., None]
        slope = tone * (1 + 0.36 * near * _relief(relief, x, below, layer))[..., None]
        mist = mix(linear("#b9aab2"), rgb(1.25, 0.82, 0.52), warm * (1 - 0.6 * near))
        lying = smoothstep(0.0, 0.17, below) * (0.92 - 0.62 * near)
        light = mix(light, mix(slope, mist, lying), smoothstep(-pixel, pixel, y - skyline))
    return light


def _relief(relief: Array, x: Array, below: Array, layer: int) -> Array:
    """Gullies that run down a slope, read from one tile."""
    across = ((x * (900 + 260 * layer)).astype(np.int64) + 331 * layer) % 1024
    down = (below * (900 + 200 * layer)).astype(np.int64) % 1024
    gullies: Array = relief[down, across + 0 * down] * smoothstep(0.0, 0.02, below)
    return gullies


def _spruces(size: tuple[int, int], rng: np.random.Generator, sprites: list[Image.Image], near: float) -> Array:
    """How much the trees of one distance, and the ground under them, cover of each pixel."""
    columns, rows = size
    mask = Image.new("L", size)
    count = round(30 - 25 * near)
    for number in range(count):
        foot_x = (number + float(rng.uniform(-0.3, 1.3))) / count * columns
        height = rows * (0.20 + 0.95 * near**1.4) * float(rng.uniform(0.7, 1.2))
        foot_y = rows * (0.62 + 0.50 * near**1.2 + float(rng.uniform(-0.02, 0.03)))
        sprite = sprites[int(rng.integers(len(sprites)))]
        if near > 0.6 and 0.27 < foot_x / columns < 0.77:
            continue
        _place(mask, sprite, (foot_x, foot_y), height)
    points = np.linspace(0, columns, 200)
    hill = fractal(points.astype(np.float32) / columns * 5, points * 0.0 + near * 9, 220, octaves=7) * rows * 0.022
    ground = rows * (0.61 + 0.42 * near**1.1) + hill
    outline = [(0.0, float(rows)), *zip(points.tolist(), ground.tolist(), strict=True), (float(columns), float(rows))]
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    return np.asarray(mask, np.float32) / 255


def _place(mask: Image.Image, sprite: Image.Image, foot: tuple[float, float], height: float) -> None:
    """Set a tree's mask into the picture's, with the foot where it is told."""
    scaled = sprite.resize((round(height * sprite.width / sprite.height), round(height)), Image.Resampling.LANCZOS)
    corner = (round(foot[0] - scaled.width / 2), round(foot[1] - height))
    mask.paste(255, corner, scaled)


def _spruce(seed: int) -> Image.Image:
    """One tree as a mask: a trunk, and drooping branches with twigs that hang from them."""
    rng = np.random.default_rng(seed)
    sprite = Image.new("L", (1000, 2000))
    draw = ImageDraw.Draw(sprite)
    draw.polygon([(488, 2000), (500, 10), (512, 2000)], fill=255)
    thin = float(rng.uniform(0.8, 1.1))
    for number in range(170):
        down = (number + float(rng.uniform(0, 1))) / 170
        reach = (18 + 400 * thin * down**0.8) * float(rng.uniform(0.45, 1.0)) * float(rng.choice((-1, 1)))
        _branch(draw, rng, (500.0, 20 + 1780 * down), reach, 20 + 120 * down * float(rng.uniform(0.5, 1.4)))
    return sprite


def _branch(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, root: tuple[float, float], reach: float, droop: float
) -> None:
    steps = max(round(abs(reach) / 7), 3)
    share = np.linspace(0, 1, steps)
    x, y = root[0] + reach * share, root[1] + droop * (1.5 * share - 0.75 * share**2)
    draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=255, width=3)
    hang = (12 + 0.16 * abs(reach)) * (1.15 - 0.75 * share) * rng.uniform(0.5, 1.2, steps)
    sweep = reach * 0.06 * rng.uniform(0.2, 1.3, steps)
    for at in range(steps):
        low = (float(x[at] + sweep[at]), float(y[at] + hang[at]))
        high = (float(x[at] + sweep[at] * 1.3), float(y[at] - hang[at] * 0.22))
        draw.line([(float(x[at]), float(y[at])), low], fill=255, width=3)
        draw.line([(float(x[at]), float(y[at])), high], fill=255, width=3)


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
        moved = small.transform(
            small.size, Image.Transform.AFFINE, (zoom, 0, shift[0], 0, zoom, shift[1]), Image.Resampling.BILINEAR
        )
        total += np.asarray(moved) * (1 - step / steps)
    away = Image.fromarray((total / steps * 1.6) ** 2.2)
    return np.asarray(away.resize((columns, rows), Image.Resampling.BICUBIC)) * 0.55
