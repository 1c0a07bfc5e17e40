"""A marble bust, modelled as a signed distance field and lit like a museum piece."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import developed, linear, mix, reduced, rgb, smoothstep
from img.scenes.noise import Array, fractal
from img.scenes.solids import egg, join, rod
from img.scenes.terrain import direction, unit

_KEY = direction(-0.72, 0.62, 0.52)
_RIM = direction(0.85, 0.25, -0.45)
_EYE = np.array((0.0, -0.60, 5.6), np.float32)
_TURN = 0.62
_NOD = 0.06


def bust(size: tuple[int, int]) -> Image.Image:
    """Head and shoulders on a plinth, the key light from the upper left and a cool one from behind."""
    larger = (round(size[0] * 1.5), round(size[1] * 1.5))
    columns, rows = larger
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x, y = (x + 0.5 - columns / 2) / rows, (rows / 2 - y - 0.5) / rows
    rays = np.stack([x * 0.545, y * 0.545, -np.ones_like(x)], axis=-1)
    rays = unit(rays)
    light = _wall(x, y)
    points, hit = _march(rays.reshape(-1, 3))
    light.reshape(-1, 3)[hit] = _marble(points, rays.reshape(-1, 3)[hit])
    return developed(reduced(light, size), 12, grain=0.010, vignette=0.3)


def _wall(x: Array, y: Array) -> Array:
    pool = np.exp(-(((x - 0.16) / 0.42) ** 2) - ((y - 0.08) / 0.5) ** 2)
    plaster = fractal(x * 9, y * 9, 250, octaves=6)
    return mix(linear("#15181c"), linear("#4c5459"), pool) * (1 + 0.10 * plaster)[..., None]


def _march(rays: Array) -> tuple[Array, Array]:
    """Where each ray meets the stone: the points, and a mask of the rays that do."""
    live = np.arange(len(rays))
    travelled = np.full(len(rays), 3.9, np.float32)
    hit = np.zeros(len(rays), bool)
    for _ in range(70):
        gap = _stone(_EYE + rays[live] * travelled[live, None])
        travelled[live] += gap * 0.85
        hit[live[gap < 0.0012]] = True
        live = live[(gap >= 0.0012) & (travelled[live] < 7.6)]
        if not len(live):
            break
    return _EYE + rays[hit] * travelled[hit, None], hit


def _marble(points: Array, rays: Array) -> Array:
    """The light that leaves the stone towards the eye."""
    normal = _normals(points)
    x, y, z = points.T
    vein = np.abs(fractal(x * 1.7 + 0.4 * y, y * 1.7 + z * 1.3, 251, octaves=6))
    albedo = mix(linear("#e9e4da"), linear("#a9a49c"), 0.55 * np.exp(-((vein / 0.035) ** 2)))
    hollow = _openness(points, normal)
    key = np.clip((normal @ _KEY + 0.12) / 1.12, 0, 1) * _lit(points + normal * 0.006)
    rim = np.clip(normal @ _RIM, 0, 1) ** 1.3
    fill = 0.5 + 0.5 * normal[:, 1]
    half = unit(_KEY - rays)
    polish = np.clip(np.sum(normal * half, axis=-1), 0, 1) ** 38 * key * 0.22
    light = key[:, None] * rgb(1.75, 1.50, 1.18) + (rim * hollow)[:, None] * rgb(0.34, 0.46, 0.64)
    light += (hollow * fill)[:, None] * rgb(0.13, 0.15, 0.18) + (hollow * (1 - fill))[:, None] * rgb(0.11, 0.08, 0.055)
    leaving: Array = albedo * light + polish[:, None]
    return leaving


def _normals(points: Array) -> Array:
    """From four readings at the corners of a tetrahedron."""
    total = np.zeros_like(points)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        step = np.array(corner, np.float32)
        total += _stone(points + step * 0.0022)[:, None] * step
    return unit(total)


def _openness(points: Array, normal: Array) -> Array:
    """How freely air reaches a point: 1 on open faces, less in folds."""
    total = np.zeros(len(points), np.float32)
    for reach, weight in ((0.025, 9.0), (0.07, 4.0), (0.16, 1.8), (0.32, 0.7)):
        total += weight * np.maximum(reach - _stone(points + normal * reach), 0)
    return np.clip(1 - total, 0.08, 1)


def _lit(points: Array) -> Array:
    """Soft shadow of the key light: the narrowest gap on the way, seen from the point."""
    share = np.ones(len(points), np.float32)
    travelled = np.full(len(points), 0.015, np.float32)
    live = np.arange(len(points))
    for _ in range(26):
        gap = _stone(points[live] + _KEY * travelled[live, None])
        share[live] = np.minimum(share[live], np.clip(14 * gap / travelled[live], 0, 1))
        travelled[live] += np.clip(gap, 0.012, 0.16)
        live = live[(share[live] > 0.01) & (travelled[live] < 2.0)]
    return share * share * (3 - 2 * share)


def _stone(points: Array) -> Array:
    """Distance to the whole figure; the head is turned, the shoulders less, the plinth not at all."""
    x, y, z = points.T
    body = _shoulders(*_turned(x, y, z, _TURN * 0.55))
    head = _head(*_nodded(*_turned(x, y - 0.06, z, _TURN)))
    return np.minimum(join(head, body, 0.10), _plinth(x, y, z))


def _turned(x: Array, y: Array, z: Array, angle: float) -> tuple[Array, Array, Array]:
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    return x * cosine - z * sine, y, x * sine + z * cosine


def _nodded(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    cosine, sine = float(np.cos(_NOD)), float(np.sin(_NOD))
    return x, y * cosine + z * sine, z * cosine - y * sine


def _head(x: Array, y: Array, z: Array) -> Array:
    """Skull, face and hair around the origin, looking along z; height from chin to crown is about one."""
    side = np.abs(x)
    skull = egg(side, y - 0.13, z + 0.07, (0.335, 0.40, 0.42))
    jaw = egg(side, y + 0.17, z - 0.07, (0.245, 0.34, 0.285))
    face = join(skull, jaw, 0.12)
    face = join(face, egg(side, y + 0.445, z - 0.235, (0.085, 0.07, 0.075)), 0.09)
    face = join(face, egg(side - 0.175, y + 0.11, z - 0.215, (0.085, 0.075, 0.085)), 0.09)
    face = join(face, rod(side, y, z, (0.03, 0.085, 0.325), (0.215, 0.075, 0.235), 0.040, 0.030), 0.055)
    face = -join(-face, egg(side - 0.125, y + 0.005, z - 0.375, (0.085, 0.052, 0.095)), 0.05)
    face = join(face, _eye(side - 0.123, y + 0.008, z - 0.228), 0.012)
    face = join(face, _nose(side, y, z), 0.035)
    face = join(face, _mouth(side, y, z), 0.022)
    ear = egg(side - 0.335 - 0.2 * np.maximum(y, 0), y + 0.03, z + 0.055, (0.035, 0.115, 0.07))
    ear = -join(-ear, egg(side - 0.375, y + 0.02, z + 0.035, (0.03, 0.07, 0.035)), 0.02)
    neck = rod(side, y, z, (0.0, -0.30, -0.06), (0.0, -0.95, -0.13), 0.185, 0.225)
    return join(join(join(face, ear, 0.025), neck, 0.09), _hair(x, y, z), 0.04)


def _eye(x: Array, y: Array, z: Array) -> Array:
    """Ball and two lids."""
    ball = np.sqrt(x * x + y * y + z * z) - 0.078
    lid = np.sqrt(x * x + y * y + z * z) - 0.087
    upper = np.maximum(lid, -(y - 0.020 + 2.2 * x * x))
    lower = np.maximum(lid, y + 0.034 - 1.6 * x * x)
    eye: Array = np.minimum(ball, join(upper, lower, 0.004))
    return eye


def _nose(side: Array, y: Array, z: Array) -> Array:
    bridge = rod(side, y, z, (0.0, 0.085, 0.330), (0.0, -0.110, 0.420), 0.033, 0.043)
    tip = egg(side, y + 0.118, z - 0.412, (0.045, 0.040, 0.048))
    wings = egg(side - 0.045, y + 0.135, z - 0.365, (0.030, 0.030, 0.043))
    return join(join(bridge, tip, 0.03), wings, 0.02)


def _mouth(side: Array, y: Array, z: Array) -> Array:
    upper = rod(side, y, z, (0.016, -0.243, 0.326), (0.092, -0.262, 0.272), 0.022, 0.011)
    lower = rod(side, y, z, (0.0, -0.288, 0.318), (0.075, -0.274, 0.275), 0.028, 0.013)
    return np.minimum(upper, lower)


def _hair(x: Array, y: Array, z: Array) -> Array:
    """Waves combed back from a parted hairline, gathered in a knot, with a band around."""
    side = np.abs(x)
    flow = 17 * (y - 0.55 * z) + 3.2 * np.sin(7 * side + 2.2 * z) + 1.6 * np.sin(15 * z - 9 * y)
    locks = 0.017 * np.abs(np.sin(flow * 0.9)) + 0.008 * np.sin(34 * side + 21 * z + 2.2 * np.sin(flow))
    cap = egg(side, y - 0.15, z + 0.09, (0.375, 0.405, 0.455)) - locks
    hairline = z * 0.80 - (y - 0.10) * 0.62 - 0.095 + 0.55 * np.maximum(side - 0.16, 0)
    cap = -join(-(cap + 0.010 * smoothstep(-0.06, 0.0, hairline)), -hairline, 0.03)
    knot = egg(side, y - 0.10, z + 0.56, (0.145, 0.15, 0.15)) - 0.016 * np.sin(26 * y + 18 * x + 12 * z)
    band = np.maximum(
        np.abs(egg(side, y - 0.15, z + 0.09, (0.375, 0.405, 0.455)) - 0.008) - 0.022,
        np.abs((y - 0.385) * 0.91 - z * 0.416) - 0.026,
    )
    return join(join(cap, knot, 0.03), band, 0.02)


def _shoulders(x: Array, y: Array, z: Array) -> Array:
    """Chest and shoulders under drapery, cut off in a curve as sculptors do."""
    chest = egg(x, y + 1.10, z + 0.06, (0.50, 0.55, 0.30))
    arms = rod(np.abs(x), y, z, (0.10, -0.74, -0.10), (0.56, -0.92, -0.10), 0.15, 0.19)
    body = join(chest, arms, 0.14)
    slant = x * 0.62 + y
    folds = np.sin(30 * slant + 7 * x * x + 2.5 * np.sin(5 * y)) * 0.5 + np.sin(17 * slant - 6 * x) * 0.5
    cloth = body - 0.040 - 0.020 * folds * smoothstep(-0.62, -0.80, slant)
    collar = slant + 0.80 - 0.16 * np.cos(3.2 * x)
    body = join(body, -join(-cloth, -collar, 0.02), 0.015)
    bowl = np.sqrt(x * x * 0.86 + (y + 0.66) ** 2 + (z + 0.05) ** 2 * 0.5) - 0.80
    return -join(-body, -bowl, 0.03)


def _plinth(x: Array, y: Array, z: Array) -> Array:
    """A waisted round foot on a square block."""
    round_ = np.hypot(x, z + 0.06)
    waist = np.maximum(round_ - 0.15 - 1.7 * np.maximum(np.abs(y + 1.52) - 0.03, 0) ** 1.5, np.abs(y + 1.50) - 0.20)
    ring = np.hypot(np.maximum(round_ - 0.245, 0), y + 1.66) - 0.035
    block = np.maximum(np.maximum(np.abs(x), np.abs(z + 0.06)) - 0.36, np.abs(y + 1.84) - 0.14)
    return np.minimum(np.minimum(waist * 0.7, ring), block - 0.008)
