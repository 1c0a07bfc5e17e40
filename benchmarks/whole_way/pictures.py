"""What is uploaded: photo-like JPEGs of three sizes."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from PIL import Image

#: Pixels, quality, and the share of noise that brings them to the bytes of a photo of this kind.
SIZES = {
    "48 kB": ((640, 480), 83, 0.22),
    "1 MB": ((2_000, 1_500), 90, 0.5),
    "12 MP": ((4_000, 3_000), 90, 0.45),
}


def pictures(size: str, number: int) -> list[bytes]:
    """So many different ones."""
    return list(_made(size, number))


def _made(size: str, number: int) -> Iterator[bytes]:
    pixels, quality, share = SIZES[size]
    for _ in range(number):
        soft = Image.effect_noise((32, 24), 90).resize(pixels, Image.Resampling.BICUBIC)
        planes = [Image.blend(soft, Image.effect_noise(pixels, 22), share) for _ in range(3)]
        file = BytesIO()
        Image.merge("RGB", planes).save(file, "JPEG", quality=quality)
        yield file.getvalue()
