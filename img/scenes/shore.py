"""A shore seen straight from above: turquoise water, foam, sand, and trees in all the colours of October."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import developed, gradient, linear, mix, reduced, rgb, smoothstep
from img.scenes.noise import Array, fractal, ridged, sample
from img.scenes.terrain import Land, direction


def autumn_beach(size: tuple[int, int]) -> Image.Image:
    """A shore seen straight from above: turquoise water, foam, sand, and trees in all the colours of October."""
    larger = (round(size[0] * 1.5), round(size[1] * 1.5))
    y, x = np.mgrid[0 : larger[1], 0 : larger[0]].astype(np.float32) / larger[0]
    inland = (x - 0.44) * 0.96 + (y - 0.33) * 0.34 + 0.07 * fractal(x * 2.2, y * 2.2, 140, octaves=6, gain=0.42)
    crowns, hue = _trees(inland)
    margin = larger[0] // 16
    side = larger[0] + 2 * margin
    land = Land(np.pad(crowns, ((margin, side - margin - larger[1]), (margin, margin))), side / larger[0])
    inner = np.s_[margin : margin + larger[1], margin:-margin]
    sun = direction(-0.62, 0.60, -0.42)
    shadow = land.shadow(sun, softness=0.003)[inner]
    ground = _shore(x, y, inland) * mix(0.34, 1.0, shadow)[..., None]
    slope_x, slope_z = (slope[inner] for slope in land.slopes())
    upright = 1 / np.sqrt(1 + slope_x**2 + slope_z**2)
    facing = np.clip((-slope_x * sun[0] + sun[1] - slope_z * sun[2]) * upright, 0, 1)
    leaves = hue * (facing * shadow)[..., None] * rgb(2.5, 2.15, 1.7) + hue * upright[..., None] * rgb(0.17, 0.20, 0.27)
    light = np.where((crowns > 0.0005)[..., None], leaves, ground)
    return developed(reduced(light.astype(np.float32), size), 9, grain=0.012, vignette=0.1)


def _shore(x: Array, y: Array, inland: Array) -> Array:
    """Sea, foam and sand by the distance from the water's edge (positive is land)."""
    grain = fractal(x * 420, y * 420, 141, octaves=2)
    tracks = fractal(x * 14, y * 30, 142, octaves=5)
    sand = mix(linear("#d9bd93"), linear("#efdcb8"), 0.5 + 0.5 * tracks + 0.35 * grain) * 0.95
    wet = smoothstep(0.050, 0.012, inland + 0.010 * tracks)
    sand = mix(sand, linear("#a5855f") * 0.8, 0.75 * wet)
    depth = -inland + 0.02 * fractal(x * 6, y * 6, 143, octaves=5)
    sea = gradient(depth, [(0, "#c5d3ae"), (0.03, "#86c7b4"), (0.11, "#2f9fa6"), (0.25, "#12708c"), (0.5, "#0c4a6c")])
    reef = smoothstep(0.05, 0.35, fractal(x * 9, y * 9, 144, octaves=6)) * smoothstep(0.06, 0.16, depth)
    sea = mix(sea, linear("#0f4f5c"), 0.55 * reef)
    chop = fractal(x * 90 + y * 40, y * 150, 145, octaves=3)
    sea = sea * (1 + 0.14 * chop)[..., None] * 1.05
    light = mix(sand, sea, smoothstep(0.002, -0.004, inland))
    brush = smoothstep(0.12, 0.22, inland + 0.05 * tracks)
    light = mix(light, linear("#4c432c") * 0.6, 0.9 * brush)
    return mix(light, rgb(1.25, 1.28, 1.28), _foam(x, y, inland))


def _foam(x: Array, y: Array, inland: Array) -> Array:
    """Lines of breakers and the lace they leave behind."""
    bend = 0.016 * fractal(x * 7, y * 7, 146, octaves=7, gain=0.6)
    lace = 1 - ridged(x * 26, y * 26, 147, octaves=5)
    veins = np.minimum(np.abs(fractal(x * 40, y * 40, 148, octaves=4)), np.abs(fractal(x * 64, y * 64, 158, octaves=3)))
    cells = smoothstep(0.20, 0.02, veins)
    total = np.zeros_like(x)
    for place, width, strength in (
        (0.004, 0.020, 1.0),
        (-0.055, 0.030, 0.95),
        (-0.125, 0.026, 0.75),
        (-0.20, 0.02, 0.45),
    ):
        behind = inland - place + bend * (1 + 6 * abs(place))
        crest = smoothstep(-width, 0.0, -np.abs(behind + width * 0.15) + width * 0.12)
        wash = smoothstep(0.0, -0.005, -behind) * smoothstep(width * 2.2, 0.0, behind) if place < 0 else 0
        broken = smoothstep(0.15, 0.6, fractal(x * 5 + 40 * place, y * 5, 149, octaves=3) + 0.65)
        total = np.maximum(
            total, strength * broken * np.maximum(crest * (0.6 + 0.4 * cells), 0.75 * wash * cells * lace)
        )
    return np.clip(total, 0, 1)


def _trees(inland: Array) -> tuple[Array, Array]:
    """Heights and leaf colours of a wood that begins some way from the water."""
    rows, columns = inland.shape
    rng = np.random.default_rng(160)
    heights = np.zeros((rows, columns), np.float32)
    hue = np.zeros((rows, columns, 3), np.float32)
    tones = ["#3f5230", "#66702f", "#8c8a3a", "#c29a3c", "#c7792d", "#a9532a", "#8a3527", "#5c4a34"]
    groves = fractal(inland * 0 + np.arange(columns) / columns * 7, np.arange(rows)[:, None] / columns * 7, 162)
    leaf = fractal(*np.meshgrid(np.arange(256) / 16.0, np.arange(256) / 16.0), 161, octaves=5, gain=0.65).astype(
        np.float32
    )
    for _ in range(7000):
        row, column = int(rng.integers(rows)), int(rng.integers(columns))
        tone = 3.4 + 5.5 * float(groves[row, column]) + float(rng.normal(0, 1.1))
        colour = gradient(np.array(tone), list(enumerate(tones))) * rng.uniform(0.7, 1.15)
        radius = int(columns * rng.uniform(0.004, 0.011) ** 1.0 * (1.6 if rng.uniform() < 0.2 else 1))
        if inland[row, column] > 0.15 + rng.exponential(0.035):
            _plant(heights, hue, (row, column, radius), colour, leaf, columns)
    return heights, hue


def _plant(heights: Array, hue: Array, place: tuple[int, int, int], colour: Array, leaf: Array, columns: int) -> None:
    """One crown: a dome with a leafy surface, kept where it is higher than its neighbours."""
    row, column, radius = place
    top, left = max(row - radius, 0), max(column - radius, 0)
    bottom, right = min(row + radius, heights.shape[0]), min(column + radius, heights.shape[1])
    y, x = np.mgrid[top - row : bottom - row, left - column : right - column].astype(np.float32) / radius
    texture = sample(leaf, (x + 1) * 45 + row * 7, (y + 1) * 45 + column * 7)
    dome = np.sqrt(np.clip(1 - (x * x + y * y) * (1 + 1.1 * texture), 0, 1)) + 0.22 * texture
    crown = np.where(dome > 0.25, (0.75 * dome + 0.5) * radius / columns, 0)
    window = heights[top:bottom, left:right]
    higher = crown > window
    window[higher] = crown[higher]
    hue[top:bottom, left:right][higher] = (colour * np.clip(0.15 + 0.9 * dome, 0.1, 1.2)[..., None])[higher]
