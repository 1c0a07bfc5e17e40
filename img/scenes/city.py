"""A street at night through a wet window: lights out of focus, drops in focus."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import bloom, developed, linear, mix, rgb, smoothstep
from img.scenes.noise import Array, fractal

_LAMPS = ("#ffb35c", "#ff8a3d", "#ffd9a0", "#ff4d4d", "#5ec8ff", "#7dffb0", "#ff6fb5", "#ffe9c9")


def rainy_window(size: tuple[int, int]) -> Image.Image:
    """Discs of light behind glass, each drop on it showing the street upside down."""
    street = _street(size)
    columns, rows = size
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    shift_x, shift_y, rim = _drops(size)
    seen_x = np.clip(x + shift_x, 0, columns - 1).astype(np.int32)
    seen_y = np.clip(y + shift_y, 0, rows - 1).astype(np.int32)
    light = street[seen_y, seen_x] * (1 - 0.75 * np.maximum(rim, 0))[..., None]
    light += (np.maximum(-rim, 0) ** 2)[..., None] * rgb(0.75, 0.80, 0.95)
    return developed(bloom(light, threshold=0.8, radius=columns / 30, strength=0.25), 13, grain=0.016)


def _street(size: tuple[int, int]) -> Array:
    columns, rows = size
    rng = np.random.default_rng(300)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / columns
    height = rows / columns
    light = mix(linear("#0a0f1d"), linear("#2a2038"), smoothstep(0.9 * height, 0.45 * height, y))
    light = light + np.exp(-(((y - 0.60 * height) / 0.10) ** 2))[..., None] * rgb(0.10, 0.055, 0.03)
    for _ in range(210):
        tone = linear(_LAMPS[int(rng.choice(len(_LAMPS), p=(0.26, 0.16, 0.16, 0.14, 0.10, 0.05, 0.06, 0.07)))])
        far = float(rng.beta(1.6, 1.3))
        place_x = float(rng.uniform(-0.02, 1.02))
        place_y = height * (0.60 + float(rng.normal(0, 0.05 + 0.20 * (1 - far))))
        _disc(light, (place_x, place_y), 0.014 + 0.036 * (1 - far), tone * float(rng.uniform(0.10, 0.55)), columns)
    wet = fractal(x * 3, y * 40, 301, octaves=4)
    street: Array = light * (1 + 0.10 * wet * smoothstep(0.62 * height, 0.8 * height, y))[..., None]
    return street


def _disc(light: Array, place: tuple[float, float], radius: float, tone: Array, columns: int) -> None:
    """A lamp out of focus: an even disc with a brighter edge, as real lenses make them."""
    centre_x, centre_y, reach = place[0] * columns, place[1] * columns, radius * columns
    top, left = max(int(centre_y - reach) - 2, 0), max(int(centre_x - reach) - 2, 0)
    window = light[top : max(int(centre_y + reach) + 3, 0), left : max(int(centre_x + reach) + 3, 0)]
    y, x = np.mgrid[top : top + window.shape[0], left : left + window.shape[1]].astype(np.float32)
    distance = np.hypot(x - centre_x, y - centre_y) / reach
    soft = 1.5 / reach
    window += (smoothstep(1 + soft, 1 - soft, distance) * (0.75 + 0.5 * distance**4))[..., None] * tone


def _drops(size: tuple[int, int]) -> tuple[Array, Array, Array]:
    """How far the drops bend the view, and their rims (above 0 darker, below 0 a glint)."""
    columns, rows = size
    rng = np.random.default_rng(310)
    shift_x, shift_y, rim = (np.zeros((rows, columns), np.float32) for _ in range(3))
    for _ in range(1500):
        radius = columns * 0.0016 / float(rng.uniform(0.06, 1)) ** 0.75
        centre_x, centre_y = float(rng.uniform(0, columns)), float(rng.uniform(0, rows))
        stretch = 1 + 0.25 * float(rng.uniform(0, 1)) * min(radius / (columns * 0.01), 1)
        top, left = max(int(centre_y - radius * 1.4), 0), max(int(centre_x - radius * 1.4), 0)
        place = np.s_[top : int(centre_y + radius * 1.4) + 2, left : int(centre_x + radius * 1.4) + 2]
        window = rim[place]
        y, x = np.mgrid[top : top + window.shape[0], left : left + window.shape[1]].astype(np.float32)
        x, y = (x - centre_x) / radius, (y - centre_y) / (radius * stretch)
        distance = np.hypot(x, y)
        inside = distance < 1
        bend = radius * (3.0 + 7 * distance**2) + columns * 0.02
        shift_x[place][inside] = (-x * bend)[inside]
        shift_y[place][inside] = (-y * bend)[inside]
        glint = np.exp(-(((x + 0.38) / 0.22) ** 2) - ((y + 0.42) / 0.18) ** 2)
        window[inside] = (smoothstep(0.70, 1.0, distance) - 0.8 * glint)[inside]
    return shift_x, shift_y, rim
