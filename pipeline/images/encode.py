"""From pixels to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from io import BytesIO
from types import ModuleType

from PIL import Image

from pipeline.errors import Code, RejectError
from pipeline.images.formats import FORMATS


def _oxipng() -> ModuleType | None:
    try:
        return import_module("oxipng")
    except ImportError:
        return None


#: The oxipng binding, or None where there is no wheel for this Python: Pillow's optimize takes its place then.
OXIPNG = _oxipng()

#: Nicolas Robidoux's quantisation table, number 3 of mozjpeg (`cjpeg -quant-table 3`), for luma and chroma alike.
#: https://github.com/mozilla/mozjpeg/blob/master/jcparam.c, there from
#: http://www.imagemagick.org/discourse-server/viewtopic.php?f=22&t=20333&p=98008#p98008
# fmt: off
_TABLE_3 = (
    16, 16,  16,  18,  25,  37,  56,  85,
    16, 17,  20,  27,  34,  40,  53,  75,
    16, 20,  24,  31,  43,  62,  91, 135,
    18, 27,  31,  40,  53,  74, 106, 156,
    25, 34,  43,  53,  69,  94, 131, 189,
    37, 40,  62,  74,  94, 124, 169, 238,
    56, 53,  91, 106, 131, 169, 226, 311,
    85, 75, 135, 156, 189, 238, 311, 418,
)
# fmt: on


_ANY = 1 << 62
#: WebP has 14 bits for a side.
_WEBP_SIDE = 16_383


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """One way to write a format, and how large an image may be for it: docs/decisions/encoder-caps.md has the figures.

    `parameters` are Pillow's; `quality` and metadata come on top.
    """

    format: str
    max_pixels: int
    max_side: int = 65_500
    parameters: Mapping[str, object]

    def fits(self, size: tuple[int, int]) -> bool:
        return size[0] * size[1] <= self.max_pixels and max(size) <= self.max_side


#: How each format is written, the best way first; a larger image takes the next.
ENCODERS: Mapping[str, tuple[Encoder, ...]] = {
    "JPEG": (Encoder(format="JPEG", max_pixels=_ANY, parameters={"subsampling": "4:2:0", "comment": b""}),),
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


def encode(image: Image.Image, name: str, quality: int) -> bytes:
    """`image` (sRGB, "RGB" or "RGBA") as a file of the format `name`, without any metadata.

    RejectError where the image is larger than the format or its slowest budget allows.
    """
    fitted = _FITTED[name](image) if name in _FITTED else image
    _, data = write_first(fitted, ENCODERS[name], quality)
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
    image: Image.Image, encoder: Encoder, quality: int, *, exif: bytes | None = None, profile: bytes | None = None
) -> bytes | None:
    """`image` by `encoder`; `exif` is a TIFF block. None where the encoder gives up: WebP has little room for noise.

    docs/decisions/jpeg-route.md says why JPEGs have tables of ours.
    """
    tables: dict[str, object] = {"qtables": quantisation(quality)} if encoder.format == "JPEG" else {"quality": quality}
    marked = b"Exif\x00\x00" + exif if exif else b""
    parameters = {**tables, "exif": marked, "icc_profile": profile, **encoder.parameters}
    try:
        return saved(image, encoder.format, **parameters)
    except ValueError:
        return None


@cache
def quantisation(quality: int) -> tuple[list[int], list[int]]:
    """Luma and chroma table for a quality of 1–100, by libjpeg's `jpeg_quality_scaling` and `jpeg_add_quant_table`.

    https://github.com/libjpeg-turbo/libjpeg-turbo/blob/main/src/jcparam.c; values stay in 1–255, as baseline needs.
    """
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    table = [min(255, max(1, (value * percent + 50) // 100)) for value in _TABLE_3]
    return table, table


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
