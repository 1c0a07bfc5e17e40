"""A pond at dusk, and rings that run through one another on it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import developed, gradient, mix, reduced, rgb
from img.scenes.noise import Array
from img.scenes.terrain import direction, unit

_FRAMES = 24
_SUN = direction(-0.25, 0.75, 1.0)

#: Where something touches the water: x and z, how strongly, how many rings per unit, and rounds of it in the loop.
_SOURCES = (
    (-0.36, 1.52, 1.0, 5.5, 2),
    (0.42, 1.22, 0.9, 5.5, 2),
    (0.16, 2.10, 1.0, 5.5, 2),
    (-0.14, 0.98, 0.5, 11.0, 3),
)


def ripples(size: tuple[int, int]) -> tuple[Image.Image, ...]:
    """One period of all rings together, after which the water is as it was."""
    columns, rows = size[0] * 2, size[1] * 2
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    across, down = (x + 0.5) / columns - 0.5, ((y + 0.5) / rows - 0.5) * rows / columns
    rays = unit(np.stack([across, -1.02 - down, np.ones_like(across)], axis=-1))
    reach = 1.25 / -rays[..., 1]
    place_x, place_z = rays[..., 0] * reach, rays[..., 2] * reach
    frames = (_water(rays, place_x, place_z, frame / _FRAMES) for frame in range(_FRAMES))
    # Without grain: what changes in each frame would be most of the file.
    return tuple(developed(reduced(light, size), 9, grain=0) for light in frames)


def _water(rays: Array, x: Array, z: Array, time: float) -> Array:
    slope_x, slope_z = _slopes(x, z, time)
    normal = unit(np.stack([-slope_x, np.ones_like(slope_x), -slope_z], axis=-1))
    facing = np.clip(-np.sum(normal * rays, axis=-1), 0.02, 1)
    mirrored = rays + 2 * facing[..., None] * normal
    mirrored[..., 1] = np.abs(mirrored[..., 1])
    fresnel = 0.16 + 0.84 * (1 - facing) ** 2
    deep = mix(rgb(0.004, 0.050, 0.065), rgb(0.010, 0.150, 0.140), np.clip(0.4 + 2 * slope_z, 0, 1))
    return mix(deep, _sky(mirrored), fresnel)


def _slopes(x: Array, z: Array, time: float) -> tuple[Array, Array]:
    """Rise of the water along x and z: the sum of rings that weaken as they widen."""
    total_x, total_z = np.zeros_like(x), np.zeros_like(z)
    for centre_x, centre_z, strength, rings, rounds in _SOURCES:
        from_x, from_z = x - centre_x, z - centre_z
        distance = np.hypot(from_x, from_z) + 0.02
        phase = 2 * np.pi * (rings * distance - rounds * time)
        rise = 0.17 * strength * np.cos(phase) / (1 + 2.5 * distance) * (1 - np.exp(-distance * 9))
        total_x += rise * from_x / distance
        total_z += rise * from_z / distance
    return total_x, total_z


def _sky(rays: Array) -> Array:
    glow = np.clip(rays @ _SUN, 0, 1)
    sky = gradient(
        rays[..., 1], [(0, "#ffc58c"), (0.55, "#f79a76"), (0.68, "#c06f93"), (0.80, "#5a5f9f"), (0.95, "#1f3a74")]
    )
    lit: Array = sky + (glow**24)[..., None] * rgb(1.9, 0.95, 0.35) + (glow**400)[..., None] * rgb(9, 6.5, 3.6)
    return lit
