"""Whether an original is whole to the last byte: what a decoder would pass over in silence counts as damage here.

A decoder paints something for nearly every damaged file, and an encoder makes a clean picture of that. Written over the
original, it would hide the damage and take away what a better program might still have read.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import simplejpeg
from PIL.MpoImagePlugin import MpoImageFile

from bulk.strict_png import check_png
from bulk.strict_webp import check_webp

#: How an index of several pictures begins in a JPEG file (CIPA DC-007, multi-picture format).
_PICTURE_INDEX = b"MPF\x00"


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


def _check_jpeg(data: bytes) -> None:
    for number, start in enumerate(_pictures(data), 1):
        try:
            # Every bit is read and every warning of libjpeg-turbo is an error; an eighth of the size, gray, saves the
            # two thirds of the time that go into pixels nobody looks at.
            simplejpeg.decode_jpeg(data[start:], "GRAY", min_height=1, min_width=1, strict=True)
        except ValueError as error:
            raise ValueError(f"picture {number}: {error}" if number > 1 else str(error)) from error


def _pictures(data: bytes) -> list[int]:
    """Where each picture of the file begins: the first, and those of an index if there is one."""
    if _PICTURE_INDEX not in data:
        return [0]
    try:
        image = MpoImageFile(BytesIO(data))
        starts = [_start(image, number) for number in range(image.n_frames)]
    except Exception as error:
        # Pillow meets a damaged index with errors of every kind: KeyError, TypeError, struct.error, SyntaxError …
        raise ValueError(f"the index of its pictures is damaged: {error!r}") from error
    if sorted(set(starts)) != starts or starts[-1] >= len(data):
        raise ValueError("the index of its pictures is damaged: they do not follow each other in the file")
    return starts


def _start(image: MpoImageFile, number: int) -> int:
    image.seek(number)
    return int(image.offset)


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "JPEG": _check_jpeg,
    "MPO": _check_jpeg,
    "PNG": check_png,
    "WEBP": check_webp,
}
