"""Clouds: thin ones for any sky, and a whole sky of them at sunset."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import bloom, developed, gradient, linear, mix, reduced, rgb, smoothstep
from img.scenes.noise import Array, fractal


def cirrus(rays: Array, seed: int) -> Array:
    """How much of each ray a high thin cloud covers, from 0 to 1: streaks that run together at the horizon."""
    steep = np.maximum(rays[..., 1], 0.02) + 0.06
    x, z = rays[..., 0] / steep, rays[..., 2] / steep
    bend = fractal(x * 0.5, z * 0.5, seed, octaves=3)
    streaks = fractal(x * 0.45 + bend, z * 1.5 + 0.8 * bend, seed + 10, octaves=7, gain=0.55)
    patches = smoothstep(-0.25, 0.4, fractal(x * 0.25 + 3, z * 0.3, seed + 20, octaves=3))
    return smoothstep(-0.05, 0.75, streaks) * patches * smoothstep(0.0, 0.06, rays[..., 1])


def sunset(size: tuple[int, int]) -> Image.Image:
    """A mackerel sky that the sun lights from below, over a dark sea."""
    columns, rows = round(size[0] * 1.25), round(size[1] * 1.25)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x, y = (x / columns - 0.5) * 1.2, (0.80 - y / rows) * 1.2 * rows / columns
    sun = (0.10, 0.035)
    near_sun = np.hypot(x - sun[0], y - sun[1])
    clear = gradient(y * 1.1, [(0, "#ffcf87"), (0.10, "#fba867"), (0.28, "#d97f7e"), (0.55, "#7b6a9c"), (1, "#33477f")])
    clear += np.exp(-near_sun * 7)[..., None] * rgb(2.6, 1.25, 0.36) + (near_sun < 0.021)[..., None] * rgb(24, 15, 7)
    thickness, lit = _mackerel(x, np.maximum(y, 0.004), sun)
    warm = np.exp(-near_sun * 2.3)[..., None]
    shade = mix(linear("#4a3f63"), linear("#8a4a4e"), warm[..., 0])
    flame = mix(rgb(1.25, 0.42, 0.34), rgb(3.0, 1.25, 0.36), warm[..., 0])
    cloud = mix(shade, flame, lit)
    light = mix(clear, cloud, np.clip(thickness, 0, 1) * smoothstep(0.0, 0.07, y))
    light = np.where((y > 0)[..., None], light, _sea(x, y, sun))
    glowing = bloom(reduced(light, size), threshold=1.6, radius=size[0] / 40, strength=0.35)
    return developed(glowing, 7, grain=0.014)


def _mackerel(x: Array, y: Array, sun: tuple[float, float]) -> tuple[Array, Array]:
    """Thickness of a cloud layer overhead, and how much sun comes to its underside through what lies before it."""
    far = 0.32 / (y + 0.045)
    place_x, place_z = x * far * 3.4, far * 3.0
    towards = np.hypot(sun[0] - x, 0.9)
    step_x, step_z = (sun[0] - x) / towards, 0.9 / towards
    thickness = _cover(place_x, place_z)
    before = sum(
        (_cover(place_x + step_x * reach, place_z + step_z * reach, octaves=5) for reach in (0.05, 0.13, 0.26)),
        np.zeros_like(x),
    )
    return thickness, np.clip(np.exp(-0.75 * before) * 1.25 - 0.25 * thickness, 0, 1)


def _cover(x: Array, z: Array, *, octaves: int = 7) -> Array:
    bend_x = fractal(x * 0.7, z * 0.7, 110, octaves=3)
    bend_z = fractal(x * 0.7 + 4, z * 0.7 + 8, 115, octaves=3)
    puffs = 0.5 - np.abs(fractal((x + bend_x) * 1.5, (z + bend_z) * 2.1, 120, octaves=octaves, gain=0.58)) * 1.5
    fields = fractal(x * 0.5 + 2.3, z * 0.6 + 6, 127, octaves=4)
    return np.clip((puffs + 1.5 * fields + 0.12) * 2.0, 0, 1.6)


def _sea(x: Array, y: Array, sun: tuple[float, float]) -> Array:
    """Dark water with the sun's road on it."""
    far = 0.06 / (0.004 - y)
    waves = fractal(x * far * 40, far * 22, 130, octaves=5)
    road = np.exp(-(((x - sun[0]) / (0.035 + 0.35 * -y)) ** 2))
    glints = smoothstep(-0.15, 0.75, waves + 0.25 * road) * (0.25 + road * 5.5)
    base = mix(linear("#c07a5c"), linear("#2c2a44"), smoothstep(0.0, 0.22, -y))
    return base * (0.55 + 0.35 * waves)[..., None] + glints[..., None] * rgb(1.3, 0.62, 0.24) * 0.55
