"""Mountains, dunes and a canyon: three height fields under three suns."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import developed, gradient, linear, mix, reduced, rgb, smoothstep
from img.scenes.noise import Array, eroded, fractal, ridged, value
from img.scenes.sky import cirrus
from img.scenes.terrain import Camera, Land, View, direction, look, normals

#: Pixels painted per pixel shown, along each side; what is over smooths the edges.
_OVER = 1.5


def alps(size: tuple[int, int]) -> Image.Image:
    """Snow and rock in the first sun, seen from a neighbouring summit."""
    return _alps_from(9.0, _range(), size)


def alps_for_two_eyes(size: tuple[int, int]) -> tuple[Image.Image, ...]:
    """The same mountains for the left and the right eye of a giant, 12 m apart."""
    land = _range()
    return tuple(_alps_from(eye, land, size) for eye in (8.994, 9.006))


def _range() -> Land:
    x, z = Land.grid(2000, 20.0)
    bend_x, bend_z = fractal(x * 0.6, z * 0.6, 61, octaves=5), fractal(x * 0.6 + 9, z * 0.6 + 3, 71, octaves=5)
    crests = ridged((x + 0.5 * bend_x) * 0.3 + 11, (z + 0.5 * bend_z) * 0.3, 11, octaves=9)
    return Land(crests * 1.75 - 1.0, 20.0)


def _alps_from(x: float, land: Land, size: tuple[int, int]) -> Image.Image:
    sun = direction(-0.85, 0.27, 0.30)
    view = look(land, Camera(x, 0.62, 1.0, view_width=1.15, horizon=0.36, near=0.15, far=16), _larger(size))
    height = land.height(view.x, view.z)
    detail = fractal(view.x * 45, view.z * 45 + height * 35, 77, octaves=5)
    normal = normals(land, view)
    snow = smoothstep(0.46, 0.68, normal[..., 1] + 0.16 * detail + 0.06 * height)
    rock = mix(linear("#453f3b"), linear("#85776a"), 0.5 + 0.6 * detail)
    albedo = mix(rock, linear("#f1f4f9"), snow)
    direct = np.clip(normal @ sun, 0, 1) * land.read(land.shadow(sun, softness=0.03), view.x, view.z)
    ambient = land.read(land.openness(6), view.x, view.z) * (0.6 + 0.4 * normal[..., 1])
    ground = albedo * (direct[..., None] * rgb(5.6, 3.7, 2.3) + ambient[..., None] * rgb(0.24, 0.36, 0.62))
    mist = 1 + 1.6 * fractal(view.x * 0.8, view.z * 0.8, 79, octaves=4)
    haze = 1 - np.exp(-view.distance * (0.05 + 0.16 * mist * smoothstep(-0.15, -0.75, height)))
    glow = np.clip(view.rays @ sun, 0, 1)[..., None]
    air = linear("#7f9cc6") + glow**4 * linear("#ffbf86")
    sky = gradient(view.rays[..., 1] * 3, [(0, "#f0d3bd"), (0.2, "#c3c4d2"), (0.55, "#7fa2cf"), (1, "#3a68a8")])
    sky = mix(sky, rgb(1.15, 0.92, 0.86), 0.7 * cirrus(view.rays, 97))
    return _picture(view, mix(ground, air, haze), sky + glow**5 * linear("#ffc08a"), size, 1)


def dunes(size: tuple[int, int]) -> Image.Image:
    """Sand at dusk: long shadows, sharp crests, wind ripples near by."""
    x, z = Land.grid(2000, 16.0)
    land = Land(_sand(x - 1, z + 7), 16.0)
    sun = direction(-0.9, 0.16, 0.42)
    view = look(land, Camera(8.0, 0.80, 1.0, view_width=1.05, horizon=0.27, near=0.1, far=14.5), _larger(size))
    bend = fractal(view.x * 3, view.z * 3, 31, octaves=3)
    fading = np.exp(-view.distance * 0.9)
    phase = (view.x * 0.35 + view.z + 0.12 * bend) * 210
    ripple = np.cos(phase + 1.5 * bend) * 0.20 * fading
    normal = normals(land, view, bump_z=ripple, bump_x=ripple * 0.35)
    direct = np.clip(normal @ sun, 0, 1) * land.read(land.shadow(sun, softness=0.02), view.x, view.z)
    ambient = land.read(land.openness(9), view.x, view.z) * (0.65 + 0.35 * normal[..., 1])
    grains = value(view.x * 900, view.z * 900, 5) * np.exp(-view.distance * 1.5)
    sand = mix(linear("#c98a58"), linear("#dda873"), 0.5 + 0.4 * bend + 0.25 * grains)
    ground = sand * (direct[..., None] * rgb(7.5, 3.9, 1.9) + ambient[..., None] * rgb(0.34, 0.30, 0.52))
    glow = np.clip(view.rays @ sun, 0, 1)[..., None]
    air = linear("#c98f86") + glow**3 * linear("#ffb070")
    sky = gradient(view.rays[..., 1] * 3.2, [(0, "#f7b184"), (0.2, "#dd9a92"), (0.5, "#8f7fa6"), (1, "#46558c")])
    sky += glow**4 * linear("#ffb070") + _crescent(view.rays)[..., None] * rgb(2.2, 2.0, 1.8)
    return _picture(view, mix(ground, air, 1 - np.exp(-view.distance * 0.075)), sky, size, 2)


def canyon(size: tuple[int, int]) -> Image.Image:
    """Banded rock in the last hour of sun."""
    x, z = Land.grid(2000, 16.0)
    land = Land(_terraces(x - 4, z + 1), 16.0)
    sun = direction(0.80, 0.36, 0.10)
    view = look(land, Camera(8.0, 1.5, 1.0, view_width=1.0, horizon=0.20, near=0.2, far=14.5), _larger(size))
    height = land.height(view.x, view.z)
    normal = normals(land, view)
    detail = fractal(view.x * 30, view.z * 30 + height * 60, 17, octaves=5)
    close = fractal(view.x * 330, view.z * 330 + height * 200, 19, octaves=3) * np.exp(-view.distance * 0.8)
    albedo = _strata(height + 0.012 * detail, detail, normal[..., 1]) * (1 + 0.5 * close)[..., None]
    direct = np.clip(normal @ sun, 0, 1) * land.read(land.shadow(sun, softness=0.02), view.x, view.z)
    ambient = land.read(land.openness(7), view.x, view.z) * (0.6 + 0.4 * normal[..., 1])
    ground = albedo * (direct[..., None] * rgb(4.0, 3.1, 2.25) + ambient[..., None] * rgb(0.36, 0.40, 0.56))
    sky = gradient(view.rays[..., 1] * 3.5, [(0, "#f3dfc8"), (0.3, "#a9c4dc"), (1, "#3f76b4")])
    sky = mix(sky, rgb(1.15, 1.08, 1.02), 0.75 * cirrus(view.rays, 90))
    return _picture(view, mix(ground, linear("#b6b4c8"), 1 - np.exp(-view.distance * 0.06)), sky, size, 3)


def _sand(x: Array, z: Array) -> Array:
    """Dunes in two sizes: the wind rises slowly to the crest, the lee falls at the angle of repose."""
    total = 0.5 * fractal(x * 0.25, z * 0.25, 3, octaves=3)
    for pitch, height, seed in ((0.75, 0.42, 10), (2.1, 0.10, 20)):
        bend = fractal(x * pitch * 0.55, z * pitch * 0.35, seed, octaves=3)
        across = (z * 0.8 + x * 0.5) * pitch + bend * 1.1
        place = across - np.floor(across)
        windward, lee = smoothstep(0, 0.72, place), 1 - smoothstep(0.70, 1.0, place)
        swell = np.clip(0.6 + 0.9 * fractal(x * pitch * 0.4 + 7, z * pitch * 0.4, seed + 5, octaves=2), 0, 1)
        total += height * swell * np.minimum(windward, lee)
    return total.astype(np.float32)


def _crescent(rays: Array) -> Array:
    """A young moon, lit from below on the left where the sun went down."""
    x, y = rays[..., 0] - 0.24, rays[..., 1] - 0.135
    disc = smoothstep(0.0100, 0.0092, np.hypot(x, y))
    return disc * (0.03 + smoothstep(0.0086, 0.0102, np.hypot(x - 0.0040, y - 0.0020)))


def _terraces(x: Array, z: Array) -> Array:
    """A plateau cut by winding valleys, its walls in steps of hard and soft rock."""
    bend_x, bend_z = fractal(x * 0.5, z * 0.5, 40, octaves=5), fractal(x * 0.5 + 5, z * 0.5 + 8, 50, octaves=5)
    cut = np.abs(value((x + 0.7 * bend_x) * 0.42 + 3.3, (z + 0.7 * bend_z) * 0.30 + 1.7, 60))
    side = eroded(x * 1.3, z * 1.3, 65, octaves=9, wear=0.7)
    wall = np.clip(cut * 2.6 + 0.55 * side, 0, 1.05) + 0.12 * side
    hardness = np.random.default_rng(66).uniform(0.15, 1, 24) ** 1.5
    ledges = np.repeat(np.cumsum(hardness), 2)[1:] / hardness.sum()
    foot = np.sort(np.concatenate([np.arange(24) / 24, np.arange(1, 24) / 24 - 0.012]))
    heights: Array = np.interp(wall, foot * 1.2, ledges * 1.15).astype(np.float32)
    return heights


def _strata(height: Array, detail: Array, upright: Array) -> Array:
    bands = np.interp(height * 40 + 2.0, np.arange(64), np.random.default_rng(8).uniform(0, 1, 64)).astype(np.float32)
    fine = np.interp(height * 190, np.arange(320), np.random.default_rng(9).uniform(0, 1, 320)).astype(np.float32)
    rock = gradient(0.7 * bands + 0.3 * fine, [(0, "#7a3a26"), (0.35, "#b5623c"), (0.7, "#d58b57"), (1, "#ecc79a")])
    shrubs = smoothstep(0.1, 0.45, detail) * smoothstep(0.80, 0.97, upright)
    return mix(mix(rock, linear("#c98f62"), smoothstep(0.85, 1.0, upright) * 0.6), linear("#5d6240"), shrubs * 0.7)


def _larger(size: tuple[int, int]) -> tuple[int, int]:
    return round(size[0] * _OVER), round(size[1] * _OVER)


def _picture(view: View, ground: Array, sky: Array, size: tuple[int, int], seed: int) -> Image.Image:
    light = np.where(view.hit[..., None], ground, sky)
    return developed(reduced(light, size), seed)
