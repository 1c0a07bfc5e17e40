"""Whether an original is whole to the last byte: what a decoder would pass over in silence counts as damage here.

A decoder paints something for nearly every damaged file, and an encoder makes a clean picture of that. Written over the
original, it would hide the damage and take away what a better program might still have read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simplejpeg

from bulk.compress.mpo import starts_of
from bulk.strict_png import check_png
from bulk.strict_webp import check_webp
from pipeline.errors import RejectError

#: simplejpeg's words for Pillow's modes.
_COLOURS = {"RGB": "RGB", "L": "GRAY"}


def strict_problem(data: bytes, format: str) -> str | None:
    """What is wrong with `data`, a whole file, in one line; None where it is clean.

    `format` is Pillow's name; all pictures and frames are looked at. A format for which there is no strict decoder has
    that as its problem. Bytes after the end of the picture belong to nobody and are no damage.
    """
    check = _CHECKS.get(format)
    if check is None:
        return f"no strict decoder for {format} is at hand"
    try:
        check(data)
    except ValueError as error:
        return str(error)
    return None


def jpeg_pixels(data: bytes, mode: str) -> Any:
    """The picture in `data`, as rows of pixels, where `strict_problem` finds nothing wrong; else ValueError, with what.

    For who needs the pixels as well: they are those that Pillow paints. `mode`: RGB or L.
    """
    pixels = simplejpeg.decode_jpeg(data, _COLOURS[mode], strict=True)
    _check_further(data)
    return pixels if mode == "RGB" else pixels[:, :, 0]


def _check_jpeg(data: bytes) -> None:
    _decode(data)
    _check_further(data)


def _check_further(data: bytes) -> None:
    """All pictures behind the first."""
    starts = _starts(data)
    if starts[-1] >= len(data):
        raise ValueError("the index names pictures of which not all are there")
    for number, start in enumerate(starts[1:], 2):
        try:
            _decode(data[start:])
        except ValueError as error:
            raise ValueError(f"picture {number}: {error}") from error


def _starts(data: bytes) -> tuple[int, ...]:
    try:
        return starts_of(data)
    except RejectError as error:
        raise ValueError(error.reason) from error


def _decode(data: bytes) -> None:
    # Every bit is read, and every warning of libjpeg-turbo is an error. An eighth of the size in gray saves a third of
    # the time, and the memory for pixels that nobody looks at.
    simplejpeg.decode_jpeg(data, "GRAY", min_height=1, min_width=1, strict=True)


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "JPEG": _check_jpeg,
    "MPO": _check_jpeg,
    "PNG": check_png,
    "WEBP": check_webp,
}
