"""Light: colours are linear RGB of any brightness until `developed` makes a picture of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from img.scenes.noise import Array, blurred


def linear(text: str) -> Array:
    """The linear light of a colour as designers write it, '#rrggbb'."""
    coded = np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)], np.float32) / 255
    return (coded**2.2).astype(np.float32)


def rgb(red: float, green: float, blue: float) -> Array:
    """A light in linear units."""
    return np.array((red, green, blue), np.float32)


def mix(a: Array | float, b: Array | float, amount: Array | float) -> Array:
    """From `a` (amount 0) to `b` (amount 1). A field of amounts is spread over the colours by itself."""
    share = np.asarray(amount, np.float32)
    first, second = np.asarray(a, np.float32), np.asarray(b, np.float32)
    if max(first.ndim, second.ndim) > 0 and max(first.shape[-1:], second.shape[-1:]) == (3,) and share.ndim:
        share = share if share.shape[-1] == 1 and share.ndim > 2 else share[..., None]
    return first + (second - first) * share


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 at `low`, 1 at `high`, a soft S between; `high` may be the lower of the two."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def gradient(position: Array, stops: Sequence[tuple[float, str]]) -> Array:
    """Colours along `position`; `stops` are (position, '#rrggbb'), rising."""
    places = [place for place, _ in stops]
    colours = np.stack([linear(text) for _, text in stops])
    channels = [np.interp(position, places, colours[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def filmic(light: Array) -> Array:
    """Linear light to display values in [0, 1]: contrast in the middle, a soft shoulder in the highlights.

    The curve is Krzysztof Narkowicz's fit of ACES.
    """
    x = np.maximum(light, 0) * 0.8
    return np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1) ** np.float32(1 / 2.2)


def developed(light: Array, seed: int, *, grain: float = 0.012, vignette: float = 0.18) -> Image.Image:
    """The photograph of a light field: vignette, film curve, grain that is strongest in the mid-tones.

    Half a step of dither keeps smooth skies free of bands.
    """
    rows, columns = light.shape[:2]
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, columns, dtype=np.float32) ** 2
    picture = np.empty((rows, columns, 3), np.uint8)
    for top in range(0, rows, 128):
        y = np.linspace(-1, 1, rows, dtype=np.float32)[top : top + 128, None] ** 2
        shown = filmic(light[top : top + 128] * (1 - vignette * (x + y) / 2)[..., None])
        noise = rng.standard_normal((*shown.shape[:2], 1), np.float32) * np.float32(grain)
        dither = rng.random((*shown.shape[:2], 1), np.float32)
        shown += noise * (0.35 + 2.6 * shown * (1 - shown))
        picture[top : top + 128] = np.clip(shown * 255 + dither, 0, 255)
    return Image.fromarray(picture)


def resized(field: Array, size: tuple[int, int], resample: Image.Resampling = Image.Resampling.BOX) -> Array:
    """A field of one or several channels at another `size`; BOX is the mean over what falls into each pixel."""
    if field.ndim == 3:
        return np.stack([resized(field[..., band], size, resample) for band in range(field.shape[2])], axis=-1)
    return np.asarray(Image.fromarray(np.ascontiguousarray(field, np.float32)).resize(size, resample))


def reduced(light: Array, size: tuple[int, int]) -> Array:
    """A light field at a smaller `size` with smooth edges: what is far brighter than white counts as 12 times white."""
    return resized(np.clip(light, 0, 12), size)


def bloom(light: Array, *, threshold: float, radius: float, strength: float) -> Array:
    """The glow that a lens spreads around what is brighter than `threshold`; `radius` in pixels."""
    rows, columns = light.shape[:2]
    bright = resized(np.maximum(light - threshold, 0), (max(columns // 8, 1), max(rows // 8, 1)))
    return light + strength * resized(softened(bright, radius / 8), (columns, rows), Image.Resampling.BICUBIC)


def softened(light: Array, radius: float) -> Array:
    """A light field under a Gaussian blur; beyond its edges the outermost pixels go on."""
    margin = int(radius * 3) + 1
    inner = np.s_[margin:-margin, margin:-margin]
    padded = np.pad(light, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    return np.stack([blurred(padded[..., band], radius)[inner] for band in range(light.shape[2])], axis=-1)
