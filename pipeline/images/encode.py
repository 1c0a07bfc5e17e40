"""From pixels to bytes."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from types import ModuleType
from typing import IO

from PIL import Image

from pipeline.errors import Code, RejectError
from pipeline.images.encoders import Encoder, encoders
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
    with _memory_for(name) as file:
        image.save(file, name, **parameters)
        file.seek(0)
        return file.read()


def _memory_for(name: str) -> IO[bytes]:
    """Pillow lets no other thread of the process run while it writes a JPEG, unless it is into a file of the system.

    docs/decisions/threads.md
    """
    if name == "JPEG" and hasattr(os, "memfd_create") and threading.active_count() > 1:
        with suppress(OSError):
            return os.fdopen(os.memfd_create(name), "w+b", buffering=0)
    return BytesIO()
