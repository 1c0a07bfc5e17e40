"""Which parser takes which format apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.images import bmp_parts, gif_parts, heif_parts, jpeg_parts, png_parts, tiff_parts, webp_parts
from pipeline.images.formats import Format
from pipeline.images.options import Limits
from pipeline.images.parts import Parts

_PARSERS: Mapping[str, Callable[[bytes, Limits], Parts]] = {
    "JPEG": lambda data, limits: jpeg_parts.take_apart(data, max_scans=limits.max_jpeg_scans),
    "PNG": lambda data, limits: png_parts.take_apart(data),
    "GIF": lambda data, limits: gif_parts.take_apart(data),
    "WEBP": lambda data, limits: webp_parts.take_apart(data),
    "AVIF": lambda data, limits: heif_parts.take_apart(data),
    "HEIF": lambda data, limits: heif_parts.take_apart(data),
    "TIFF": tiff_parts.take_apart,
    "BMP": lambda data, limits: bmp_parts.take_apart(data),
}


def take_apart(data: bytes, form: Format, limits: Limits) -> Parts:
    """The parts of a file of format `form`; RejectError when its structure is broken or beyond `limits`."""
    return _PARSERS[form.name](data, limits)
