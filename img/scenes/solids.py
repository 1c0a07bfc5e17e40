"""Solids as signed distances: negative inside, positive outside, by about as much as the surface is away."""

from __future__ import annotations

import numpy as np

from img.scenes.noise import Array


def egg(x: Array, y: Array, z: Array, radii: tuple[float, float, float]) -> Array:
    """Distance to an ellipsoid, nearly."""
    a, b, c = radii
    near = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
    slope = np.sqrt((x / (a * a)) ** 2 + (y / (b * b)) ** 2 + (z / (c * c)) ** 2)
    distance: Array = near * (near - 1) / np.maximum(slope, 1e-6)
    return distance


def rod(
    x: Array,
    y: Array,
    z: Array,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    thick: float,
    thin: float,
) -> Array:
    """Distance to a rod with round ends, of radius `thick` at the start and `thin` at the end."""
    axis = np.subtract(end, start)
    along = ((x - start[0]) * axis[0] + (y - start[1]) * axis[1] + (z - start[2]) * axis[2]) / float(axis @ axis)
    share = np.clip(along, 0, 1)
    from_axis = (x - start[0] - axis[0] * share) ** 2 + (y - start[1] - axis[1] * share) ** 2
    from_axis = np.sqrt(from_axis + (z - start[2] - axis[2] * share) ** 2)
    distance: Array = from_axis - (thick + (thin - thick) * share)
    return distance


def join(a: Array, b: Array, soft: float) -> Array:
    """The union of two shapes with a fillet of size `soft`; -join(-a, -b) is their intersection."""
    blend = np.clip(soft - np.abs(a - b), 0, None) / soft
    joined: Array = np.minimum(a, b) - blend * blend * soft * 0.25
    return joined
