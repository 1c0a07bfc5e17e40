"""From pixels to bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from io import BytesIO
from types import ModuleType

from PIL import Image

from pipeline.errors import Code, RejectError
from pipeline.images.formats import FORMATS
from pipeline.images.options import Preset
from pipeline.images.quantisation import quantisation


def _oxipng() -> ModuleType | None:
    try:
        return import_module("oxipng")
    except ImportError:
        return None


#: The oxipng binding, or None where there is no wheel for this Python: Pillow's optimize takes its place then.
OXIPNG = _oxipng()

#: A JPEG with fewer bits a pixel is mostly codes for empty blocks, of which the standard's tables make too much: tables
#: of its own save a quarter of the bytes and more, and cost least where there is little to count. In pictures of few
#: pixels it is the standard's tables themselves that weigh. docs/decisions/jpeg-route.md has the figures.
_SPARSE_BITS = 0.2
_FEW_PIXELS = 250_000
#: Own tables need all coefficients at once, 3 bytes a pixel.
_MAX_SPARSE_PIXELS = 24_000_000

_ANY = 1 << 62
#: WebP has 14 bits for a side.
_WEBP_SIDE = 16_383


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """One way to write a format, and how large an image may be for it: docs/decisions/encoder-caps.md has the figures.

    `parameters` are Pillow's; `quality` and metadata come on top. `sparse` is added for a file that says little.
    """

    format: str
    max_pixels: int
    max_side: int = 65_500
    parameters: Mapping[str, object]
    sparse: Mapping[str, object] = field(default_factory=dict)

    def fits(self, size: tuple[int, int]) -> bool:
        return size[0] * size[1] <= self.max_pixels and max(size) <= self.max_side

    def is_sparse(self, size: tuple[int, int], length: float) -> bool:
        """Whether a picture of which a file of `length` bytes is made is to be written with `sparse`."""
        pixels = size[0] * size[1]
        if not self.sparse or self.parameters.get("progressive") or pixels > _MAX_SPARSE_PIXELS:
            return False
        return pixels <= _FEW_PIXELS or 8 * length < _SPARSE_BITS * pixels


_JPEG = {"subsampling": "4:2:0", "comment": b""}

#: How each format is written, the best way first; a larger image takes the next.
ENCODERS: Mapping[str, tuple[Encoder, ...]] = {
    "JPEG": (Encoder(format="JPEG", max_pixels=_ANY, parameters=_JPEG, sparse={"optimize": True}),),
    "PNG": (
        Encoder(format="PNG", max_pixels=3_000_000, parameters={"optimize": True}),
        Encoder(format="PNG", max_pixels=_ANY, parameters={"compress_level": 1}),
    ),
    "GIF": (Encoder(format="GIF", max_pixels=16_000_000, parameters={"optimize": True, "interlace": 0}),),
    "WEBP": (
        Encoder(format="WEBP", max_pixels=20_000_000, max_side=_WEBP_SIDE, parameters={"method": 4}),
        Encoder(format="WEBP", max_pixels=_ANY, max_side=_WEBP_SIDE, parameters={"method": 0}),
    ),
    # With more threads the tiles, and so the bytes, would depend on the machine.
    "AVIF": (
        Encoder(format="AVIF", max_pixels=8_000_000, parameters={"speed": 10, "max_threads": 1, "autotiling": False}),
    ),
}

#: What the other presets do otherwise; a larger image falls back to what `ENCODERS` does.
_OTHERWISE: Mapping[Preset, Mapping[str, tuple[Encoder, ...]]] = {
    Preset.FAST: {
        "JPEG": (Encoder(format="JPEG", max_pixels=_ANY, parameters=_JPEG),),
        "PNG": (ENCODERS["PNG"][1],),
        "WEBP": (
            Encoder(format="WEBP", max_pixels=20_000_000, max_side=_WEBP_SIDE, parameters={"method": 2}),
            ENCODERS["WEBP"][1],
        ),
    },
    Preset.BALANCED: {},
    Preset.SMALL: {
        "JPEG": (
            Encoder(format="JPEG", max_pixels=_MAX_SPARSE_PIXELS, parameters={**_JPEG, "progressive": True}),
            *ENCODERS["JPEG"],
        ),
        "WEBP": (
            Encoder(format="WEBP", max_pixels=12_000_000, max_side=_WEBP_SIDE, parameters={"method": 6}),
            *ENCODERS["WEBP"],
        ),
        "AVIF": (
            Encoder(
                format="AVIF", max_pixels=2_000_000, parameters={"speed": 6, "max_threads": 1, "autotiling": False}
            ),
            *ENCODERS["AVIF"],
        ),
    },
}

#: The same for pixels that may not change. Effort 20 takes a fifth of the time of 80 for the same bytes.
LOSSLESS: tuple[Encoder, ...] = (
    Encoder(
        format="WEBP",
        max_pixels=16_000_000,
        max_side=_WEBP_SIDE,
        parameters={"lossless": True, "exact": False, "method": 4, "quality": 20},
    ),
    Encoder(
        format="WEBP",
        max_pixels=20_000_000,
        max_side=_WEBP_SIDE,
        parameters={"lossless": True, "exact": False, "method": 0, "quality": 0},
    ),
    Encoder(format="PNG", max_pixels=_ANY, parameters={"compress_level": 1}),
)


def encoders(name: str, preset: Preset) -> tuple[Encoder, ...]:
    """How `preset` writes the format `name`, the best way first."""
    return _OTHERWISE[preset].get(name) or ENCODERS[name]


def encode(image: Image.Image, name: str, quality: int, preset: Preset = Preset.BALANCED) -> bytes:
    """`image` (sRGB, "RGB" or "RGBA") as a file of the format `name`, without any metadata.

    RejectError where the image is larger than the format or its slowest budget allows.
    """
    fitted = _FITTED[name](image) if name in _FITTED else image
    _, data = write_first(fitted, encoders(name, preset), quality)
    return data


def write_first(
    image: Image.Image,
    encoders: Iterable[Encoder],
    quality: int,
    *,
    exif: bytes | None = None,
    profile: bytes | None = None,
) -> tuple[str, bytes]:
    """(format, file) by the first of `encoders` that can; RejectError where none can."""
    for encoder in encoders:
        if encoder.fits(image.size):
            data = write(image, encoder, quality, exif=exif, profile=profile)
            if data is not None:
                return encoder.format, data
    raise RejectError(Code.TOO_LARGE, f"{image.width}×{image.height} pixels are too many to be written")


def write(
    image: Image.Image,
    encoder: Encoder,
    quality: int,
    *,
    exif: bytes | None = None,
    profile: bytes | None = None,
    expected: float = math.inf,
) -> bytes | None:
    """`image` by `encoder`; `exif` is a TIFF block. None where the encoder gives up: WebP has little room for noise.

    `expected`: about how many bytes will come out, where that is known: what is sparse is written once then.
    docs/decisions/jpeg-route.md says why JPEGs have tables of ours.
    """
    tables: dict[str, object] = {"qtables": quantisation(quality)} if encoder.format == "JPEG" else {"quality": quality}
    marked = b"Exif\x00\x00" + exif if exif else b""
    parameters = {**tables, "exif": marked, "icc_profile": profile, **encoder.parameters}
    try:
        if not encoder.is_sparse(image.size, expected):
            data = saved(image, encoder.format, **parameters)
            if not encoder.is_sparse(image.size, len(data)):
                return data
        return saved(image, encoder.format, **parameters, **encoder.sparse)
    except ValueError:
        return None


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page


def _in_a_palette(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.quantize(256)
    # A pixel of a GIF is there or not.
    image = image.copy()
    image.putalpha(image.getchannel("A").point([0] * 128 + [255] * 128))
    return image.quantize(255)


#: What a format cannot hold is settled before writing.
_FITTED: Mapping[str, Callable[[Image.Image], Image.Image]] = {"JPEG": _on_white, "GIF": _in_a_palette}


def saved(image: Image.Image, name: str, **parameters: object) -> bytes:
    FORMATS[name].load_plugin()
    file = BytesIO()
    image.save(file, name, **parameters)
    return file.getvalue()
