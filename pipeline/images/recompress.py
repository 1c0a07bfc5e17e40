"""The whole picture in its own format with fewer bytes, never with more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipeline.images import colour, encode, geometry, png_parts
from pipeline.images.decode import Source

#: A re-encoded file that keeps more than this share of the stripped source is not worth its loss.
_WORTH = 0.97

#: Pixels up to which PNGs are re-encoded within the 10 s of CPU of an image: oxipng level 1 takes about 1 s a
#: megapixel, Pillow's optimize 2.5 s. Larger ones are only stripped.
_OXIPNG_PIXELS = 6_000_000
_PILLOW_PIXELS = 3_000_000
_OXIPNG_SECONDS = 8.0

_GRAY_MODES = frozenset({"1", "L", "LA", "I;16"})


def recompress(source: Source, quality: int) -> bytes:
    """The source with fewer bytes, in its own format and size; the stripped source where re-encoding saves under 3 %.

    A JPEG is encoded anew at `quality`, upright; a PNG keeps its pixels and, if it has one, its orientation tag.
    """
    encoded = _jpeg(source, quality) if source.format.name == "JPEG" else None
    stripped = source.stripped()
    if source.format.name == "PNG":
        encoded = _png(source, stripped)
    return encoded if encoded is not None and len(encoded) < _WORTH * len(stripped) else stripped


def _jpeg(source: Source, quality: int) -> bytes:
    image, profile = source.image, source.profile
    if image.mode == "CMYK":
        # Browsers show CMYK as they please, and its profile alone weighs more than many pictures.
        image, profile = colour.to_srgb(image, profile), None
    image = geometry.upright(image, source.metadata.orientation)
    rights = source.metadata.fresh_block(orientation=1)
    return encode.encode_jpeg(image, quality, exif=rights, profile=profile)


def _png(source: Source, stripped: bytes) -> bytes | None:
    if source.parts.animated:
        return None
    pixels = source.image.width * source.image.height
    if encode.OXIPNG is not None:
        optimize = encode.OXIPNG.optimize_from_memory
        return by_oxipng(source, stripped, optimize) if pixels <= _OXIPNG_PIXELS else None
    return by_pillow(source) if pixels <= _PILLOW_PIXELS else None


def by_oxipng(source: Source, stripped: bytes, optimize: Callable[..., bytes]) -> bytes | None:
    """`stripped` by oxipng level 1, lossless; None where oxipng gives up, which is no fault of the image."""
    try:
        return optimize(
            stripped,
            level=1,
            timeout=_OXIPNG_SECONDS,
            # A profile speaks of gray or of colour samples, and means nothing for the other kind.
            grayscale_reduction=source.profile is None,
            palette_reduction=source.profile is None or source.image.mode not in _GRAY_MODES,
        )
    except Exception:
        return None
    except BaseException as panic:
        # A panic of Rust code arrives as a BaseException.
        if type(panic).__name__ != "PanicException":
            raise
        return None


def by_pillow(source: Source) -> bytes | None:
    """The source by Pillow's optimize, lossless; None for what Pillow reads with a loss or cannot write back."""
    image = source.image
    if source.parts.depth == 16 or (image.mode == "1" and "transparency" in image.info):
        return None
    packed = png_parts.take_apart(encode.encode_png(image))
    # Pillow has written pixels; what says how they are shown comes from the source.
    parts = replace(source.parts, lead=packed.lead, body=packed.body)
    return replace(source, parts=parts).stripped()
