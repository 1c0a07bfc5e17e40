"""Balloons on nothing at all: around them, and in part through them, one sees what lies behind the picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import linear, mix, smoothstep
from img.scenes.noise import Array


def balloons(size: tuple[int, int]) -> Image.Image:
    """Three balloons that let light through; around them is nothing."""
    columns, rows = size[0] * 2, size[1] * 2
    total = np.zeros((rows, columns, 4), np.float32)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x, y = (x + 0.5) / columns - 0.5, (y + 0.5) / columns
    knots = ((0.27, 0.33, 0.170, "#ffb703"), (-0.255, 0.40, 0.190, "#118ab2"), (0.02, 0.30, 0.215, "#ef476f"))
    for centre_x, centre_y, radius, _ in knots:
        _over(total, *_string(x, y, (centre_x, centre_y + radius * 1.36), (0.03, rows / columns - 0.03)))
    for centre_x, centre_y, radius, text in knots:
        _over(total, *_balloon((x - centre_x) / radius, (y - centre_y) / radius, linear(text), 1 / columns / radius))
    flat = total.reshape(rows // 2, 2, columns // 2, 2, 4).mean(axis=(1, 3))
    colour = flat[..., :3] / np.maximum(flat[..., 3:], 1e-4)
    shown = np.concatenate([np.clip(colour, 0, 1) ** (1 / 2.2), flat[..., 3:]], axis=-1)
    return Image.fromarray((shown * 255 + 0.5).astype(np.uint8))


def _over(total: Array, colour: Array, cover: Array) -> None:
    """Lay a layer over what is there already; `total` holds colours multiplied by their cover."""
    total *= (1 - cover)[..., None]
    total[..., :3] += colour * cover[..., None]
    total[..., 3] += cover


def _balloon(x: Array, y: Array, tone: Array, pixel: float) -> tuple[Array, Array]:
    """A skin lit from the upper left: denser towards the edge, where one looks through more of it."""
    narrow = 1 - 0.13 * smoothstep(0.0, 1.25, y) - 0.05 * np.clip(y, 0, 2) ** 2
    across, down = x / narrow, y / 1.16
    distance = np.hypot(across, down)
    depth = np.sqrt(np.clip(1 - distance**2, 0, 1))
    skin = smoothstep(1 + pixel, 1 - pixel, distance)
    knot = smoothstep(pixel, -pixel, np.abs(x) - 0.028 - 0.55 * np.clip(y - 1.185, 0, 0.11)) * ((y > 1.13) & (y < 1.29))
    facing = -0.50 * across - 0.58 * down + 0.64 * depth
    lit = 0.26 + 0.70 * np.clip(facing, 0, 1) + 0.55 * np.clip(0.45 * across + 0.62 * down, 0, 1) ** 2.2
    colour = tone * lit[..., None] + 0.10 * (1 - depth[..., None]) ** 3
    window = np.exp(
        -((((across + 0.40) * 0.90 + (down + 0.46) * 0.62) / 0.085) ** 2)
        - (((across + 0.40) * -0.62 + (down + 0.46) * 0.9) / 0.20) ** 2
    )
    small = np.exp(-(((across - 0.46) / 0.05) ** 2) - ((down - 0.52) / 0.09) ** 2)
    colour = mix(colour, np.ones(3, np.float32), np.clip(window * 0.95 + small * 0.30, 0, 1))
    cover = np.clip(0.60 + 0.36 * (1 - depth) ** 1.4 + 0.4 * window, 0, 0.97)
    return colour, np.maximum(skin * cover, knot * 0.95)


def _string(x: Array, y: Array, start: tuple[float, float], end: tuple[float, float]) -> tuple[Array, Array]:
    share = np.clip((y - start[1]) / (end[1] - start[1]), 0, 1)
    ease = share * share * (3 - 2 * share)
    place = start[0] + (end[0] - start[0]) * ease + 0.008 * np.sin(share * 9 + start[0] * 20) * (1 - share)
    width = 1.6 / x.shape[1]
    cover = smoothstep(width * 2, width * 0.6, np.abs(x - place)) * ((y > start[1] - 0.02) & (y < end[1]))
    return np.broadcast_to(linear("#8d99ae"), (*x.shape, 3)), cover * 0.9
