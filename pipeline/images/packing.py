"""PNGs packed tighter by oxipng, without loss."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.images.decode import Source

#: Older releases of Pillow call 16 bits of gray "I".
_GRAY = frozenset({"1", "L", "LA", "I;16", "I"})


def by_oxipng(file: bytes, source: Source, optimize: Callable[..., bytes], *, level: int, seconds: float) -> bytes:
    """`file`, which shows `source`, with all of its chunks; ValueError where oxipng gives up, no fault of the image."""
    try:
        return optimize(
            file,
            level=level,
            timeout=seconds,
            # A profile speaks of gray or of colour samples, and means nothing for the other kind.
            grayscale_reduction=source.profile is None,
            palette_reduction=source.profile is None or source.image.mode not in _GRAY,
        )
    except BaseException as error:
        # A panic of Rust code arrives as a BaseException.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"oxipng gave up: {error}") from error
