"""From pixels to bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from io import BytesIO
from types import ModuleType

from PIL import Image

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


def encode(image: Image.Image, name: str, quality: int) -> bytes:
    """`image` (sRGB, "RGB" or "RGBA") as a file of the format `name`, without any metadata."""
    return _ENCODERS[name](image, quality)


def encode_jpeg(image: Image.Image, quality: int, *, exif: bytes | None = None, profile: bytes | None = None) -> bytes:
    """`image` ("L" or "RGB") as baseline JPEG, 4:2:0; `exif` is a TIFF block. docs/decisions/jpeg-route.md says why."""
    return _saved(
        image,
        "JPEG",
        qtables=quantisation(quality),
        subsampling="4:2:0",
        comment=b"",
        exif=b"Exif\x00\x00" + exif if exif else b"",
        icc_profile=profile,
    )


def encode_png(image: Image.Image) -> bytes:
    """`image` as PNG by Pillow's optimize, lossless for 8 bits and less."""
    return _saved(image, "PNG", optimize=True, icc_profile=None)


@cache
def quantisation(quality: int) -> tuple[list[int], list[int]]:
    """Luma and chroma table for a quality of 1–100, by libjpeg's `jpeg_quality_scaling` and `jpeg_add_quant_table`.

    https://github.com/libjpeg-turbo/libjpeg-turbo/blob/main/src/jcparam.c; values stay in 1–255, as baseline needs.
    """
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    table = [min(255, max(1, (value * percent + 50) // 100)) for value in _TABLE_3]
    return table, table


def _jpeg(image: Image.Image, quality: int) -> bytes:
    return encode_jpeg(_on_white(image), quality)


def _webp(image: Image.Image, quality: int) -> bytes:
    return _saved(image, "WEBP", quality=quality)


_ENCODERS: dict[str, Callable[[Image.Image, int], bytes]] = {
    "JPEG": _jpeg,
    "PNG": lambda image, quality: encode_png(image),
    "WEBP": _webp,
}


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page


def _saved(image: Image.Image, name: str, **parameters: object) -> bytes:
    # Without its plugin registered, Pillow would import all forty of them.
    import_module(f"PIL.{FORMATS[name].plugin}")
    file = BytesIO()
    image.save(file, name, **parameters)
    return file.getvalue()
