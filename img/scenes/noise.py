"""Seeded noise: the raw material of mountains, clouds, water and film grain.

Everything is float32 and takes a seed or a generator, so that a picture is the same each time it is painted.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

_TABLE = 256


def value(x: Array, y: Array, seed: int) -> Array:
    """Smooth noise in [-1, 1] with one knot per unit of `x` and `y`; repeats after 256 units."""
    a, b, c, d, u, v = _patch(x, y, seed)
    smooth_u, smooth_v = u * u * u * (u * (u * 6 - 15) + 10), v * v * v * (v * (v * 6 - 15) + 10)
    height: Array = a + b * smooth_u + (c + d * smooth_u) * smooth_v
    return height


def value_with_slope(x: Array, y: Array, seed: int) -> tuple[Array, Array, Array]:
    """The noise and its derivatives by x and by y (quintic interpolation, so that slopes are smooth too)."""
    a, b, c, d, u, v = _patch(x, y, seed)
    smooth_u, smooth_v = u * u * u * (u * (u * 6 - 15) + 10), v * v * v * (v * (v * 6 - 15) + 10)
    slope_u, slope_v = 30 * u * u * (u - 1) ** 2, 30 * v * v * (v - 1) ** 2
    height = a + b * smooth_u + (c + d * smooth_u) * smooth_v
    return height, (b + d * smooth_v) * slope_u, (c + d * smooth_u) * slope_v


def _patch(x: Array, y: Array, seed: int) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Between four knots the noise is a + b·u + c·v + d·u·v: the four coefficients, and the place (u, v)."""
    table = np.random.default_rng(seed).uniform(-1, 1, (_TABLE + 1, _TABLE + 1)).astype(np.float32)
    table[-1], table[:, -1] = table[0], table[:, 0]
    flat = table.ravel()
    floor_x, floor_y = np.floor(x), np.floor(y)
    u, v = (x - floor_x).astype(np.float32), (y - floor_y).astype(np.float32)
    knot = (floor_y.astype(np.int32) & 255) * (_TABLE + 1) + (floor_x.astype(np.int32) & 255)
    a = flat[knot]
    b = flat[knot + 1] - a
    c = flat[knot + _TABLE + 1] - a
    d = flat[knot + _TABLE + 2] - a - b - c
    return a, b, c, d, u, v


def fractal(x: Array, y: Array, seed: int, *, octaves: int = 6, gain: float = 0.5) -> Array:
    """Octaves of value noise, each turned by 37° against the one before so that no grid shows; about [-1, 1]."""
    total = np.zeros(np.broadcast(x, y).shape, np.float32)
    amplitude = 1 - gain
    for octave in range(octaves):
        total += amplitude * value(x, y, seed + octave)
        amplitude *= gain
        x, y = _turned(x, y)
    return total


def eroded(x: Array, y: Array, seed: int, *, octaves: int = 10, wear: float = 1.0) -> Array:
    """Octaves that grow faint where the slope is steep already: ridges stay sharp and valleys fill up."""
    total = np.zeros(np.broadcast(x, y).shape, np.float32)
    slope_x, slope_y = np.zeros_like(total), np.zeros_like(total)
    amplitude = 0.5
    for octave in range(octaves):
        height, along_x, along_y = value_with_slope(x, y, seed + octave)
        slope_x += along_x
        slope_y += along_y
        total += amplitude * height / (1 + wear * (slope_x**2 + slope_y**2))
        amplitude *= 0.5
        x, y = _turned(x, y)
    return total


def ridged(x: Array, y: Array, seed: int, *, octaves: int = 6) -> Array:
    """Octaves folded at zero: sharp crests in [0, 1]."""
    total = np.zeros(np.broadcast(x, y).shape, np.float32)
    weight: Array = np.ones_like(total)
    amplitude = 0.5
    for octave in range(octaves):
        crest = (1 - np.abs(value(x, y, seed + octave))) ** 2
        total += amplitude * crest * weight
        weight = np.clip(crest * 1.6, 0, 1)
        amplitude *= 0.5
        x, y = _turned(x, y)
    return total


def spectral(shape: tuple[int, int], seed: int, *, slope: float = 1.6, finest: float = 0.0) -> Array:
    """Gaussian noise that tiles, of variance 1, whose amplitude falls as frequency**-slope.

    `finest` (in pixels) takes away what is smaller than that.
    """
    white = np.random.default_rng(seed).standard_normal(shape, np.float32)
    spectrum = np.fft.rfft2(white)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    frequency[0, 0] = 1
    spectrum[0, 0] = 0
    shaped = spectrum * frequency**-slope * np.exp(-((frequency * finest) ** 2))
    field = np.fft.irfft2(shaped, shape).astype(np.float32)
    return scaled_to_one(field)


def scaled_to_one(field: Array) -> Array:
    """The field with a variance of 1."""
    scaled: Array = field / field.std()
    return scaled


def blurred(field: Array, radius: float) -> Array:
    """A Gaussian blur that wraps at the edges."""
    rows, columns = field.shape
    frequency = np.fft.fftfreq(rows)[:, None] ** 2 + np.fft.rfftfreq(columns)[None, :] ** 2
    spectrum = np.fft.rfft2(field) * np.exp(-2 * (np.pi * radius) ** 2 * frequency)
    return np.fft.irfft2(spectrum, field.shape).astype(np.float32)


def sample(field: Array, x: Array, y: Array) -> Array:
    """Bilinear reading at column `x` and row `y` in pixels, wrapping at the edges."""
    rows, columns = field.shape[:2]
    floor_x, floor_y = np.floor(x), np.floor(y)
    u, v = (x - floor_x).astype(np.float32), (y - floor_y).astype(np.float32)
    left, top = floor_x.astype(np.int32) % columns, floor_y.astype(np.int32) % rows
    right, bottom = (left + 1) % columns, (top + 1) % rows
    if field.ndim == 3:
        u, v = u[..., None], v[..., None]
    upper = field[top, left] * (1 - u) + field[top, right] * u
    lower = field[bottom, left] * (1 - u) + field[bottom, right] * u
    between: Array = upper * (1 - v) + lower * v
    return between


def _turned(x: Array, y: Array) -> tuple[Array, Array]:
    """Twice the frequency, turned by the angle of a 3-4-5 triangle, moved off the origin."""
    return 1.6 * x + 1.2 * y + 13.7, -1.2 * x + 1.6 * y + 5.3
