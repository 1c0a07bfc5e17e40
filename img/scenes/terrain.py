"""Land seen through a camera: a height field, its light and shadow, and the pixels that look at it.

World: x to the right, y up, z away from the camera; one unit is one kilometre or so. The camera looks straight
along z and is shifted instead of tilted, as architects' lenses are, so every column of pixels is one walk over the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from img.scenes.noise import Array, blurred, sample


def direction(x: float, y: float, z: float) -> Array:
    """A unit vector."""
    return unit(np.array([x, y, z], np.float32))


def unit(vectors: Array) -> Array:
    """The same directions, each of length 1."""
    scaled: Array = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled


@dataclass(frozen=True)
class Camera:
    """Where one stands (`x`, `height`, `z`), how wide one sees, and the row of the horizon as a share of the height."""

    x: float
    height: float
    z: float
    view_width: float = 1.0
    horizon: float = 0.4
    near: float = 0.05
    far: float = 20.0


@dataclass(frozen=True)
class Land:
    """A square map that repeats: heights over `extent` units, and what the sun makes of it."""

    heights: Array
    extent: float

    @property
    def cell(self) -> float:
        return self.extent / len(self.heights)

    def height(self, x: Array, z: Array) -> Array:
        return self.read(self.heights, x, z)

    def read(self, field: Array, x: Array, z: Array) -> Array:
        """The value of any map of this land at world positions."""
        return sample(field, x / self.cell, z / self.cell)

    def slopes(self) -> tuple[Array, Array]:
        """Rise per unit along x and along z."""
        along_x = (np.roll(self.heights, -1, 1) - np.roll(self.heights, 1, 1)) / (2 * self.cell)
        along_z = (np.roll(self.heights, -1, 0) - np.roll(self.heights, 1, 0)) / (2 * self.cell)
        return along_x, along_z

    def shadow(self, sun: Array, *, softness: float = 0.02) -> Array:
        """1 in the sun, 0 in the shade, as a map. `sun` points towards the sun; `softness` in units of height.

        The shadow's height is the maximum over all steps towards the sun of height minus fall of the ray; doubling
        the step each time reaches 2**n cells in n rounds.
        """
        flat = float(np.hypot(sun[0], sun[2]))
        step_x, step_z = sun[0] / flat, sun[2] / flat
        fall = self.cell * float(sun[1]) / flat
        rows, columns = np.indices(self.heights.shape, np.float32)
        ceiling = sample(self.heights, columns + step_x, rows + step_z) - fall
        distance = 1.0
        while distance < self.heights.shape[0] / 3:
            beyond = sample(ceiling, columns + step_x * distance, rows + step_z * distance) - fall * distance
            ceiling = np.maximum(ceiling, beyond)
            distance *= 2
        return np.clip((self.heights - ceiling) / softness + 1, 0, 1)

    @classmethod
    def grid(cls, cells: int, extent: float) -> tuple[Array, Array]:
        """World x and z of every cell of a map to be."""
        axis = np.arange(cells, dtype=np.float32) * (extent / cells)
        x, z = np.meshgrid(axis, axis)
        return x, z

    def openness(self, radius: float) -> Array:
        """About 1 on ridges and 0.3 in clefts: how much sky a place sees. `radius` in cells."""
        hollow = (blurred(self.heights, radius) - self.heights) / (radius * self.cell)
        return np.clip(0.85 - 0.8 * hollow, 0.3, 1.1)


@dataclass(frozen=True)
class View:
    """What each pixel sees: the direction of its ray, and where that meets the land (distance is inf for sky)."""

    rays: Array
    distance: Array
    x: Array
    z: Array

    @property
    def hit(self) -> Array:
        return np.isfinite(self.distance)


def normals(land: Land, view: View, *, bump_x: Array | float = 0, bump_z: Array | float = 0) -> Array:
    """Unit normals where the rays meet the land; the bumps add to its slopes what the map is too coarse for."""
    along_x, along_z = land.slopes()
    x = land.read(along_x, view.x, view.z) + bump_x
    z = land.read(along_z, view.x, view.z) + bump_z
    upright = 1 / np.sqrt(1 + x * x + z * z)
    return np.stack([-x * upright, upright, -z * upright], axis=-1).astype(np.float32)


def look(land: Land, camera: Camera, size: tuple[int, int], *, steps: int = 1200) -> View:
    """Cast one ray per pixel of `size` on the land."""
    columns, rows = size
    across = (np.arange(columns, dtype=np.float32) + 0.5) / columns - 0.5
    slope_x = across * camera.view_width
    slope_y = (camera.horizon - (np.arange(rows, dtype=np.float32) + 0.5) / rows) * camera.view_width * rows / columns
    depth = np.geomspace(camera.near, camera.far, steps).astype(np.float32)
    skyline = _skyline(land, camera, slope_x, depth)
    distance = np.stack([_first_meeting(skyline[:, at], slope_y, depth) for at in range(columns)], axis=1)
    finite = np.where(np.isfinite(distance), distance, camera.far)
    rays = _directions(slope_x, slope_y)
    return View(rays, distance, camera.x + slope_x[None, :] * finite, camera.z + finite)


def _skyline(land: Land, camera: Camera, slope_x: Array, depth: Array) -> Array:
    """The highest slope seen so far, at each depth (row) and for each column."""
    z = depth[:, None]
    heights = land.height(camera.x + slope_x[None, :] * z, camera.z + z + 0 * slope_x[None, :])
    return np.maximum.accumulate((heights - camera.height) / z, axis=0)


def _first_meeting(skyline: Array, slope_y: Array, depth: Array) -> Array:
    """Depth at which the skyline of one column first reaches each slope, between the steps too."""
    after = np.searchsorted(skyline, slope_y)
    inside = np.clip(after, 1, len(depth) - 1)
    low, high = skyline[inside - 1], skyline[inside]
    share = np.clip((slope_y - low) / np.maximum(high - low, 1e-9), 0, 1)
    met = depth[inside - 1] + (depth[inside] - depth[inside - 1]) * share
    return np.where(after == len(depth), np.inf, met).astype(np.float32)


def _directions(slope_x: Array, slope_y: Array) -> Array:
    x, y = np.meshgrid(slope_x, slope_y)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1)
    return unit(rays)
