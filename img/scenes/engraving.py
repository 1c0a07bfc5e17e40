"""The marble bust once more, as an engraver would cut it: lines that swell where it is dark."""

from __future__ import annotations

import numpy as np
from PIL import Image

from img.scenes.light import resized, smoothstep
from img.scenes.noise import Array, fractal
from img.scenes.statue import bust

#: Lines across the picture, and the light that ink and paper send back, from black 0 to white 1.
_LINES = 96
_INK, _PAPER = 0.09, 0.95


def engraved_bust(size: tuple[int, int]) -> Image.Image:
    """A scan of the print: an oval of black lines, and the grain of the paper."""
    columns, rows = size
    photograph = bust((columns // 2, rows // 2)).convert("L")
    tone = resized(np.asarray(photograph, np.float32) / 255, size, Image.Resampling.BICUBIC)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / columns
    paper = smoothstep(0.80, 1.0, np.hypot((x - 0.5) / 0.47, (y - 0.5 * rows / columns) / (0.47 * rows / columns)))
    dark = np.clip(1.0 - 1.02 * np.clip(tone, 0, 1) ** 1.25, 0, 0.84)
    dark = dark * (1 - paper)
    soft = resized(resized(tone, (columns // 24, rows // 24)), size, Image.Resampling.BICUBIC)
    tremble = 0.10 * fractal(x * 30, y * 30, 360, octaves=3)
    # The first lines rise over what is bright, as if they lay on the form; the others cross them in the shade.
    first = _cut((y + 0.04 * soft + 0.10 * x) * _LINES + tremble, dark)
    second = _cut((x * 0.85 + y * 0.52 + 0.05 * soft) * _LINES + tremble, 1.35 * (dark - 0.48))
    ink = 1 - (1 - first) * (1 - second)
    grain = np.random.default_rng(361).normal(0, 0.006, ink.shape) + 0.012 * fractal(x * 40, y * 40, 362, octaves=4)
    return Image.fromarray((np.clip(_PAPER + (_INK - _PAPER) * ink + grain, 0, 1) * 255 + 0.5).astype(np.uint8))


def _cut(phase: Array, dark: Array) -> Array:
    """Lines one unit of phase apart, as wide as it is dark."""
    from_line = np.abs(phase - np.floor(phase) - 0.5) * 2
    width, edge = np.clip(dark, 0, 0.95), 0.17
    line: Array = np.clip((width - from_line) / edge + 0.5, 0, 1) * (dark > 0.02)
    return line
