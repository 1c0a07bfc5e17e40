"""Which parser takes which format apart."""

from __future__ import annotations

from pipeline.images import jpeg_parts, png_parts
from pipeline.images.formats import Format
from pipeline.images.options import Limits
from pipeline.images.parts import Parts


def take_apart(data: bytes, form: Format, limits: Limits) -> Parts:
    """The parts of a file of format `form`; RejectError when its structure is broken or beyond `limits`."""
    match form.name:
        case "JPEG":
            return jpeg_parts.take_apart(data, max_scans=limits.max_jpeg_scans)
        case "PNG":
            return png_parts.take_apart(data)
    raise ValueError(f"no parser for {form.name}")
