"""Two nights: northern lights above a lake, and the Milky Way above a desert."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import bloom, developed, gradient, linear, mix, reduced, resized, rgb, smoothstep, softened
from img.scenes.noise import Array, blurred, fractal, ridged, sample, spectral
from img.scenes.terrain import Camera, Land, look, normals


def northern_lights(size: tuple[int, int]) -> Image.Image:
    """Green curtains over snowy mountains, and all of it again in the water."""
    columns, rows = size
    shore = round(rows * 0.70)
    above = _lights_and_mountains((columns, shore))
    light = np.concatenate([above, _mirrored(above, rows - shore)])
    return developed(bloom(light, threshold=0.9, radius=columns / 60, strength=0.10), 5, grain=0.02)


def milky_way(size: tuple[int, int]) -> Image.Image:
    """The galaxy upright over dark rock, a lit tent below."""
    columns, rows = size
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / columns
    height = rows / columns
    along, across = _along_band(x, y, height)
    cloud = fractal(along * 5 + 3, across * 5 + 1, 21, octaves=7)
    dust = fractal(along * 6 + 0.5 * cloud, across * 11 + 5 + 0.4 * cloud, 31, octaves=8, gain=0.6)
    band = np.exp(-((across / (0.13 + 0.03 * cloud)) ** 2)) * (0.75 + 0.5 * cloud)
    core = np.exp(-((across / 0.09) ** 2) - ((along - 0.33) / 0.30) ** 2)
    lane = smoothstep(-0.25, 0.55, dust + 0.42 * np.exp(-(((across + 0.03 * cloud) / 0.035) ** 2)))
    thinned = 1 - 0.9 * lane * np.exp(-((across / 0.12) ** 2))
    sky = gradient(1 - y / height, [(0, "#7a5a3c"), (0.16, "#39424f"), (0.4, "#16203a"), (1, "#0b1026")]) * 0.8
    glow = band[..., None] * rgb(0.15, 0.15, 0.21) + core[..., None] * rgb(0.52, 0.36, 0.24)
    airglow = np.exp(-(((y / height - 0.72) / 0.16) ** 2)) * (0.7 + 0.5 * fractal(x * 2, y * 9, 41, octaves=4))
    light = sky + glow * thinned[..., None] + airglow[..., None] * rgb(0.012, 0.045, 0.028)
    weight = np.clip(0.2 + 2.6 * band * thinned, 0, 3)
    light += _stars(size, 60, density=30000, weight=weight) * (1 - 0.55 * y / height)[..., None]
    light = _foreground(bloom(light, threshold=1.0, radius=columns / 300, strength=0.25), x, y, height)
    return developed(bloom(light, threshold=1.2, radius=columns / 70, strength=0.25), 6, grain=0.022)


def _lights_and_mountains(size: tuple[int, int]) -> Array:
    larger = (round(size[0] * 1.5), round(size[1] * 1.5))
    land = _coast()
    view = look(land, Camera(8.0, 0.03, 0.5, view_width=1.5, horizon=0.995, near=0.4, far=14), larger)
    normal = normals(land, view)
    detail = fractal(view.x * 30, view.z * 30 + land.height(view.x, view.z) * 30, 87, octaves=4)
    albedo = mix(linear("#23262c"), linear("#dfe8f0"), smoothstep(0.45, 0.72, normal[..., 1] + 0.15 * detail))
    glow = np.clip(0.30 + 0.80 * normal[..., 1] - 0.45 * normal[..., 2], 0, 2)
    glow = glow * land.read(land.openness(8), view.x, view.z)
    ground = albedo * glow[..., None] * rgb(0.080, 0.200, 0.185)
    ground = mix(ground, rgb(0.02, 0.070, 0.075), 1 - np.exp(-np.minimum(view.distance, 20) * 0.06))
    sky = gradient(view.rays[..., 1] * 1.9, [(0, "#12413f"), (0.25, "#0d2a3c"), (1, "#070d22")]) * 0.9
    sky += _curtains(view.rays)
    sky += _stars(larger, 62, density=9000, weight=np.ones(larger[::-1], np.float32))
    return reduced(np.where(view.hit[..., None], ground, sky), size)


def _coast() -> Land:
    """A flat shore, and mountains behind it with a gap in the middle."""
    x, z = Land.grid(1300, 16.0)
    bend = fractal(x * 0.7, z * 0.7, 81, octaves=5)
    crests = ridged((x + 0.5 * bend) * 0.42 + 5, (z - 0.4 * bend) * 0.42 + 2, 85, octaves=8)
    plain = smoothstep(2.5, 6.0, z) * (0.35 + 0.65 * smoothstep(0.0, 4.5, np.abs(x - 8.6)))
    return Land((crests * 2.1 - 0.35) * plain - 0.03, 16.0)


def _curtains(rays: Array) -> Array:
    """Glowing sheets that hang from winding lines: green below, violet where the air is thin."""
    ray = resized(rays, (rays.shape[1] // 3, rays.shape[0] // 3))
    steep = np.maximum(ray[..., 1], 0.02)
    folds, rays_of_light = _fold_maps()
    total = np.zeros((*steep.shape, 3), np.float32)
    jitter = np.random.default_rng(63).uniform(0, 1, steep.shape).astype(np.float32)
    for step in range(56):
        rise = (step + jitter) / 56
        reach = (1.0 + 1.9 * rise**1.4) / steep
        x, z = ray[..., 0] * reach, ray[..., 2] * reach
        sheet = sample(folds, x * 62 + 300, z * 62)
        streak = sample(rays_of_light, x * 62 + 300, z * 62)
        fade = smoothstep(0.0, 0.05, rise) * np.exp(-rise * (3.1 - 1.4 * streak)) * np.exp(-reach * 0.055)
        colour = gradient(rise, [(0, "#58ffb0"), (0.22, "#2cf08c"), (0.5, "#2fb8b0"), (0.8, "#8a4be0"), (1, "#c03fb0")])
        total += (sheet * (0.35 + streak) * fade)[..., None] * colour
    return 0.22 * resized(softened(total, 1.0), rays.shape[1::-1], Image.Resampling.BICUBIC)


def _fold_maps() -> tuple[Array, Array]:
    """Maps of where the curtains hang (thin winding lines) and how bright each of their rays is."""
    z, x = np.mgrid[0:1024, 0:1024].astype(np.float32) / 1024
    bend = spectral((1024, 1024), 91, slope=2.4)
    line = np.sin(2 * np.pi * (4 * z + x) + 2.6 * bend)
    where = smoothstep(-0.4, 1.1, spectral((1024, 1024), 92, slope=2.2))
    sheet = np.exp(-((line / 0.10) ** 2)) * where + 0.10 * np.exp(-((line / 0.5) ** 2)) * where
    streak = np.clip(0.5 + 0.42 * spectral((1024, 1024), 93, slope=0.7, finest=3), 0, 1.6)
    return sheet.astype(np.float32), streak


def _mirrored(above: Array, rows: int) -> Array:
    """The lake: what is above upside down, moved and drawn out by small waves, darker towards our feet."""
    shore, columns = above.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    nearness = (y + 1) / rows
    distance = 1 / (nearness * 0.9 + 0.03)
    wave = fractal(x / columns * 14 * distance, distance * 26, 95, octaves=4)
    swell = wave * nearness * rows * 0.05
    total = np.zeros((rows, columns, 3), np.float32)
    for share in (-1.0, -0.5, 0.0, 0.5, 1.0):
        source = np.clip(shore - 1 - y * 1.15 - swell - share * (1 + 10 * nearness), 0, shore - 1)
        total += sample(above, np.clip(x + wave * 4 * nearness, 0, columns - 1.01), source)
    lake: Array = total / 5 * (0.72 - 0.28 * nearness)[..., None] + rgb(0.002, 0.006, 0.008)
    return lake


def _stars(size: tuple[int, int], seed: int, *, density: int, weight: Array) -> Array:
    """Stars as points of light, many faint and few bright; `density` of them where `weight` is 1."""
    columns, rows = size
    rng = np.random.default_rng(seed)
    count = density * 3
    x, y = rng.integers(1, columns - 1, count), rng.integers(1, rows - 1, count)
    kept = rng.uniform(0, 3, count) < weight[y, x]
    brightness = np.minimum(0.07 / rng.uniform(0.0006, 1, count) ** 0.85, 14) * columns / 1600
    warmth = rng.uniform(0, 1, (count, 1)).astype(np.float32)
    colours = mix(rgb(1.0, 0.78, 0.55), rgb(0.66, 0.80, 1.0), warmth[:, None])[:, 0]
    light = np.zeros((rows, columns, 3), np.float32)
    for band in range(3):
        np.add.at(light[..., band], (y[kept], x[kept]), (brightness * colours[:, band])[kept])
    for band in range(3):
        light[..., band] = blurred(light[..., band], max(0.62 * columns / 1600, 0.45))
    return np.maximum(light, 0)


def _along_band(x: Array, y: Array, height: float) -> tuple[Array, Array]:
    """Coordinates along the galaxy (0 at the horizon) and across it; it leans to the right."""
    from_x, from_y = x - 0.40, height * 0.86 - y
    return from_x * 0.34 + from_y * 0.94, from_x * 0.94 - from_y * 0.34


def _foreground(light: Array, x: Array, y: Array, height: float) -> Array:
    """Rock against the sky, and a tent with a lamp in it."""
    far = height * (0.86 - 0.05 * fractal(x * 5, x * 0 + 3, 51, octaves=7))
    near = height * (0.93 - 0.06 * fractal(x * 3, x * 0 + 9, 52, octaves=8) + 0.10 * np.abs(x - 0.62) - 0.03)
    texture = fractal(x * 60, y * 160, 53, octaves=5)
    pixel = x[0, 1]
    light = mix(light, rgb(0.013, 0.014, 0.020) * (1 + 0.4 * texture)[..., None], smoothstep(-pixel, pixel, y - far))
    lamp = np.hypot(x - 0.62, (y - height * 0.930) * 1.8)
    ground = rgb(0.005, 0.005, 0.007) + (np.exp(-lamp * 26) * (0.6 + 0.6 * texture))[..., None] * rgb(0.55, 0.24, 0.07)
    light = mix(light, ground, smoothstep(-pixel, pixel, y - near))
    return _tent(light, (x - 0.62) / 0.034, (height * 0.928 - y) / 0.034, pixel / 0.034)


def _tent(light: Array, x: Array, y: Array, pixel: float) -> Array:
    edge = 1.05 * np.clip(1 - np.abs(x) ** 1.7, 0, 1) ** 0.8
    inside = smoothstep(-pixel, pixel, edge - y) * smoothstep(-pixel, pixel, y) * (np.abs(x) < 1.05)
    seam = 1 - 0.45 * np.exp(-(((x - 0.18 * (1 - y)) / 0.035) ** 2))
    warm = np.exp(-((x - 0.05) ** 2) * 1.3 - (y - 0.25) ** 2 * 1.6) * seam
    return mix(light, warm[..., None] * rgb(3.6, 1.55, 0.42) + rgb(0.10, 0.03, 0.01), inside)
