"""Open ocean with the sun's glitter on it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import bloom, developed, gradient, mix, reduced, rgb
from img.scenes.noise import Array, sample, scaled_to_one, spectral
from img.scenes.sky import cirrus
from img.scenes.terrain import Camera, Land, direction, look, normals, unit

_SUN = direction(0.12, 0.17, 1.0)


def glitter(size: tuple[int, int]) -> Image.Image:
    """Open ocean towards a low sun."""
    larger = (round(size[0] * 1.5), round(size[1] * 1.5))
    land = Land(_swell(1536) * 0.42, 120.0)
    view = look(land, Camera(20.0, 5.5, 3.0, view_width=1.0, horizon=0.42, near=4, far=2500), larger, steps=1600)
    calm = 1 / (1 + view.distance / 140)
    ripple_x, ripple_z = _ripples(view.x, view.z, calm)
    normal = normals(land, view, bump_x=ripple_x, bump_z=ripple_z)
    facing = np.clip(-np.sum(normal * view.rays, axis=-1), 0.02, 1)
    mirrored = view.rays + 2 * facing[..., None] * normal
    mirrored[..., 1] = np.abs(mirrored[..., 1])
    fresnel = 0.02 + 0.98 * (1 - facing) ** 5
    height = land.height(view.x, view.z)
    deep = mix(rgb(0.004, 0.035, 0.055), rgb(0.02, 0.20, 0.20), np.clip(0.35 + 0.5 * height, 0, 1))
    towards_sun = np.clip(mirrored @ _SUN, 0, 1)
    sparkle = np.exp(-(1 - towards_sun) * 2600) * 60 + np.exp(-(1 - towards_sun) * 240) * 2.6
    water = mix(deep, _sky(mirrored) * 0.85, fresnel) + (sparkle * fresnel)[..., None] * rgb(9, 6.6, 3.9)
    water = mix(water, _sky(view.rays * (1, 0, 1) + (0, 0.012, 0)), 1 - np.exp(-np.minimum(view.distance, 2500) / 1600))
    light = np.where(view.hit[..., None], water, _sky(view.rays))
    light = bloom(reduced(light, size), threshold=1.3, radius=size[0] / 90, strength=0.30)
    return developed(light, 8, grain=0.012)


def _sky(rays: Array) -> Array:
    rays = unit(rays)
    sky = gradient(rays[..., 1] * 2.2, [(0, "#ffdcb0"), (0.10, "#f2c9a4"), (0.35, "#9fb6cc"), (1, "#3e6ea6")])
    glow = np.clip(rays @ _SUN, 0, 1)
    sky += (glow**8)[..., None] * rgb(0.55, 0.36, 0.16) + (glow**90)[..., None] * rgb(1.6, 1.05, 0.5)
    sky = mix(sky, rgb(1.5, 1.2, 0.95), 0.65 * cirrus(rays, 150))
    with_sun: Array = sky + np.exp(-(1 - glow) * 30000)[..., None] * rgb(70, 55, 34)
    return with_sun


def _swell(cells: int) -> Array:
    """Waves of a wind that blows towards us: long crests across the view, of height variance 1; it tiles."""
    white = np.random.default_rng(151).standard_normal((cells, cells), np.float32)
    spectrum = np.fft.rfft2(white)
    wave_z, wave_x = np.fft.fftfreq(cells)[:, None] * cells, np.fft.rfftfreq(cells)[None, :] * cells
    wave = np.maximum(np.hypot(wave_x, wave_z), 1e-3)
    along_wind = np.abs(0.35 * wave_x + 0.94 * wave_z) / wave
    shaped = spectrum * np.exp(-((4.5 / wave) ** 4)) * wave**-2.15 * (0.12 + along_wind**3)
    field = np.fft.irfft2(shaped, (cells, cells)).astype(np.float32)
    return scaled_to_one(field)


def _ripples(x: Array, z: Array, calm: Array) -> tuple[Array, Array]:
    """Slopes of the small waves, from one tile read at two scales."""
    tile_x, tile_z = spectral((512, 512), 152, slope=0.9, finest=2.0), spectral((512, 512), 153, slope=0.9, finest=2.0)
    near, far = 512 / 3.1, 512 / 23.0
    slope_x = sample(tile_x, x * near, z * near) * calm**0.5 + sample(tile_x, z * far, x * far)
    slope_z = sample(tile_z, x * near, z * near) * calm**0.5 + sample(tile_z, z * far, x * far)
    return slope_x * 0.05, slope_z * 0.065
