"""The moon a little after its first quarter, in the 16 bits of a sensor."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import resized, smoothstep
from img.scenes.noise import Array, fractal
from img.scenes.terrain import direction, unit

_SUN = direction(-0.84, 0.20, 0.36)
_RADIUS = 0.43
#: Dark plains: centre on the disc (x, y up, in radii) and size.
_PLAINS = (
    (-0.30, 0.42, 0.36),
    (-0.02, 0.22, 0.24),
    (0.28, 0.36, 0.26),
    (0.44, 0.10, 0.24),
    (-0.55, 0.05, 0.38),
    (-0.28, -0.26, 0.26),
    (0.62, 0.22, 0.13),
)
#: Young craters with bright rays: centre on the disc, and radius in radii of the moon.
_YOUNG = ((-0.10, -0.64, 0.052), (-0.34, 0.12, 0.040), (-0.62, 0.15, 0.022), (0.50, -0.30, 0.020))


def half_lit(size: tuple[int, int]) -> Image.Image:
    """Craters, plains and rays; 16-bit gray, black around it."""
    columns, rows = size[0] * 2, size[1] * 2
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x, y = ((x + 0.5) / columns - 0.5) / _RADIUS, (0.5 * rows / columns - (y + 0.5) / columns) / _RADIUS
    disc = np.hypot(x, y)
    depth = np.sqrt(np.clip(1 - disc**2, 0.0004, 1))
    sphere = np.stack([x, y, depth], axis=-1)
    height, plains = _relief(sphere), _plains(x, y)
    normal = _normals(sphere, height * (1 - 0.45 * plains), x[0, 1] - x[0, 0])
    albedo = (0.62 - 0.38 * plains + 0.16 * fractal(x * 7, y * 7, 320, octaves=8, gain=0.6)) * (1 + 0.75 * _rays(x, y))
    # A dusty ground sends light back to where it came from: flatter than a ball of chalk (Lommel and Seeliger).
    sun, eye = np.clip(normal @ _SUN, 0, 1), np.clip(normal[..., 2], 0.05, 1)
    light = 1.35 * albedo * sun / (sun + eye) * smoothstep(0, 0.25, sphere @ _SUN + 0.12) + 0.0014 * albedo
    shown = resized(light * smoothstep(1.003, 0.997, disc), size)
    return Image.fromarray((np.clip(shown, 0, 1) ** (1 / 2.2) * 65_535 + 0.5).astype(np.uint16))


def _normals(sphere: Array, height: Array, cell: float) -> Array:
    """The sphere's normals, tilted by the relief; heights are in radii, seen from the front."""
    down, across = np.gradient(height, cell)
    tilt = np.stack([-across, down, np.zeros_like(height)], axis=-1) * sphere[..., 2:]
    return unit(sphere + np.clip(tilt, -1.2, 1.2))


def _relief(sphere: Array) -> Array:
    """Craters of all sizes on rough ground, heights in radii of the moon."""
    x, y = sphere[..., 0], sphere[..., 1]
    height = 0.010 * fractal(x * 6 + 3, y * 6 + 1, 310, octaves=8, gain=0.55)
    rng = np.random.default_rng(311)
    centres = unit(rng.standard_normal((2600, 3)))
    radii = 0.0085 / rng.uniform(0.008, 1, 2600) ** 0.50
    for centre, radius in zip(centres[centres[:, 2] > 0.05], radii[centres[:, 2] > 0.05].tolist(), strict=True):
        _strike(height, sphere, centre, radius)
    for across, up, radius in _YOUNG:
        _strike(height, sphere, np.array((across, up, np.sqrt(1 - across**2 - up**2))), radius)
    return height


def _strike(height: Array, sphere: Array, centre: Array, radius: float) -> None:
    """Add a crater: a bowl with a flat floor, a rim, and what was thrown out around it."""
    window = _window(height.shape, centre, radius * 2.6)
    away = np.linalg.norm(sphere[window] - centre.astype(np.float32), axis=-1) / radius
    bowl = -0.26 * (1 - smoothstep(0.45, 1.0, away))
    rim = 0.10 * np.exp(-(((away - 1.02) / 0.20) ** 2)) + 0.03 * np.exp(-(away**2) / 1.6)
    height[window] += radius * (bowl + rim)


def _window(shape: tuple[int, ...], centre: Array, reach: float) -> tuple[slice, slice]:
    """The rows and columns in which a place of the sphere and all within `reach` of it lies."""
    rows, columns = shape
    column, row = (0.5 + centre[0] * _RADIUS) * columns, 0.5 * rows - centre[1] * _RADIUS * columns
    margin = reach * _RADIUS * columns + 1
    top, left = max(int(row - margin), 0), max(int(column - margin), 0)
    return slice(top, int(row + margin) + 1), slice(left, int(column + margin) + 1)


def _plains(x: Array, y: Array) -> Array:
    bend_x, bend_y = fractal(x * 2.4, y * 2.4, 330, octaves=6), fractal(x * 2.4 + 7, y * 2.4 + 4, 340, octaves=6)
    cover = np.zeros_like(x)
    for across, up, radius in _PLAINS:
        away = np.hypot(x + 0.22 * bend_x - across, y + 0.22 * bend_y - up) / radius
        cover = np.maximum(cover, (0.75 + 0.5 * bend_x) * smoothstep(1.10, 0.74, away))
    return cover


def _rays(x: Array, y: Array) -> Array:
    """Bright dust in streaks around young craters."""
    total = np.zeros_like(x)
    for across, up, radius in _YOUNG:
        away, angle = np.hypot(x - across, y - up) / radius, np.arctan2(y - up, x - across)
        streaks = fractal(np.cos(angle) * 4 + across * 9, np.sin(angle) * 4 + 0.05 * away, 350, octaves=4, gain=0.6)
        total += smoothstep(-0.05, 0.55, streaks) * np.exp(-away / 6.5) + 0.5 * np.exp(-((away / 1.5) ** 2))
    return np.clip(total, 0, 1)
