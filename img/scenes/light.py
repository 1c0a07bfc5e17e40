"""Light: colours are linear RGB of any brightness until `developed` makes a picture of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from img.scenes.noise import Array


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
    """The photograph of a light field: vignette, film curve, grain that is strongest in the mid-tones."""
    rows, columns = light.shape[:2]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    shown = filmic(light * (1 - vignette * np.clip((x * x + y * y) / 2, 0, 1))[..., None])
    noise = np.random.default_rng(seed).standard_normal((rows, columns, 1), np.float32)
    strength = grain * (0.35 + 2.6 * shown * (1 - shown))
    return to_image(shown + noise * strength, seed)


def to_image(shown: Array, seed: int) -> Image.Image:
    """Display values in [0, 1] as an 8-bit picture; half a step of dither keeps smooth skies free of bands."""
    dither = np.random.default_rng(seed + 1).uniform(-0.5, 0.5, (*shown.shape[:2], 1)).astype(np.float32)
    return Image.fromarray(np.clip(shown * 255 + dither + 0.5, 0, 255).astype(np.uint8))


def reduced(light: Array, size: tuple[int, int]) -> Array:
    """A light field at a smaller `size`: the mean over what falls into each pixel, which smooths edges."""
    clipped = np.clip(light, 0, 12)
    bands = [
        np.asarray(Image.fromarray(np.ascontiguousarray(clipped[..., band])).resize(size, Image.Resampling.BOX))
        for band in range(light.shape[2])
    ]
    return np.stack(bands, axis=-1)


def bloom(light: Array, *, threshold: float, radius: float, strength: float) -> Array:
    """The glow that a lens spreads around what is brighter than `threshold`; `radius` in pixels."""
    rows, columns = light.shape[:2]
    bright = np.maximum(light - threshold, 0)
    small = (max(columns // 8, 1), max(rows // 8, 1))
    glow = [
        Image.fromarray(np.ascontiguousarray(bright[..., band])).resize(small, Image.Resampling.BOX)
        for band in range(3)
    ]
    spread = [_spread(np.asarray(band), radius / 8, (columns, rows)) for band in glow]
    return light + strength * np.stack(spread, axis=-1)


def _spread(band: Array, radius: float, size: tuple[int, int]) -> Array:
    margin = int(radius * 3) + 1
    padded = np.pad(band, margin)
    frequency = np.fft.fftfreq(padded.shape[0])[:, None] ** 2 + np.fft.rfftfreq(padded.shape[1])[None, :] ** 2
    spectrum = np.fft.rfft2(padded) * np.exp(-2 * (np.pi * radius) ** 2 * frequency)
    soft = np.fft.irfft2(spectrum, padded.shape)[margin:-margin, margin:-margin].astype(np.float32)
    return np.asarray(Image.fromarray(soft).resize(size, Image.Resampling.BICUBIC))
