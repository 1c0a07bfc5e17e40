"""Animations written anew: all frames and their timing, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageSequence

from pipeline.images.encoders import Encoder
from pipeline.images.formats import Format
from pipeline.images.parts import Timing


def written_anew(
    file: bytes, form: Format, timing: Timing, encoder: Encoder, quality: int, profile: bytes | None
) -> bytes:
    """The animation in `file` by `encoder`. Encoders join frames that are alike: compare timing before using it."""
    animation = form.opened(file)
    written = BytesIO()
    loop = {} if timing.loop is None else {"loop": timing.loop}
    colours = {"icc_profile": profile} if profile else {}
    parameters = {"quality": quality, **loop, **colours, **encoder.parameters}
    animation.save(written, form.name, save_all=True, duration=list(timing.frames_ms), **parameters)
    return written.getvalue()


def same_pictures(one: bytes, other: bytes, form: Format) -> bool:
    """Whether all frames of two files show the very same pixels; colours that cannot be seen do not count."""
    pairs = zip(_pictures(one, form), _pictures(other, form), strict=True)
    return all(first == second for first, second in pairs)


def _pictures(file: bytes, form: Format) -> Iterator[bytes]:
    for frame in ImageSequence.Iterator(form.opened(file)):
        yield _seen(frame)


def _seen(frame: Image.Image) -> bytes:
    return frame.convert("RGBA").convert("RGBa").tobytes()
