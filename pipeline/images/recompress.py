"""The whole picture with fewer bytes: in its own format and never with more, or as JPEG or WebP for want of one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from PIL import Image

from pipeline.images import animation, colour, encode, geometry, packing, png_parts, strip
from pipeline.images.decode import Source
from pipeline.images.encoders import ENCODERS, LOSSLESS, Encoder, encoders
from pipeline.images.options import Limits, OutputOptions, Preset
from pipeline.images.parts import Pieces

#: A re-encoded file that keeps more than this share of the stripped source is not worth its loss.
_WORTH = 0.97
#: What a source shrinks to if it shrinks well.
_USUALLY_LEFT = 0.6

#: Pixels up to which files are written anew within the 10 s of CPU of an image: docs/decisions/encoder-caps.md.
_OXIPNG_PIXELS = 6_000_000
_OXIPNG_SECONDS = 8.0
#: Oxipng's level by preset, and the pixels up to which it is taken; a larger image gets level 1.
_OXIPNG_LEVELS = {
    Preset.FAST: (0, _OXIPNG_PIXELS),
    Preset.BALANCED: (1, _OXIPNG_PIXELS),
    Preset.SMALL: (2, 3_000_000),
}
#: Over all frames; by format and by whether the pixels may not change.
_ANIMATION_PIXELS = {("GIF", True): 40_000_000, ("WEBP", False): 24_000_000, ("WEBP", True): 12_000_000}


def recompress(source: Source, image: Image.Image, wanted: OutputOptions, limits: Limits) -> tuple[str, bytes]:
    """(format, file): the source with fewer bytes in its size; stripped where writing it anew saves under 3 %.

    `image` is the resizable picture of the source. Lossy pictures are encoded anew, upright; PNG, GIF and lossless WebP
    keep their pixels. BMP, TIFF and HEIC become JPEG, or lossless WebP or PNG where one sees through.
    """
    if not source.format.written:
        return _converted(source, image, wanted)
    stripped = source.stripped()
    if source.frames > 1:
        encoded = _animated(source, stripped, wanted, limits)
    else:
        encoded = _STILL[source.format.name](source, stripped, wanted)
    worth = encoded is not None and len(encoded) < _WORTH * len(stripped)
    return source.format.name, encoded if worth and encoded is not None else stripped


def written_as(source: Source, image: Image.Image) -> str:
    """The format of an output whose options name none: the source's own, or what its kind of picture becomes."""
    if source.format.written:
        return source.format.name
    return "WEBP" if colour.see_through(image) else "JPEG"


def _lossy(source: Source, stripped: bytes, wanted: OutputOptions) -> bytes | None:
    ways = encoders(source.format.name, wanted.preset)
    encoder = next((one for one in ways if one.fits(source.image.size) and one.saves), None)
    return None if encoder is None else _upright(source, source.image, encoder, wanted.quality, stripped)


def _upright(
    source: Source, image: Image.Image, encoder: Encoder, quality: int, stripped: bytes | None = None
) -> bytes | None:
    image, exif, profile = _finished(source, image)
    expected = math.inf if stripped is None else _USUALLY_LEFT * len(stripped)
    return encode.write(image, encoder, quality, exif=exif, profile=profile, expected=expected)


def _finished(source: Source, image: Image.Image) -> tuple[Image.Image, bytes | None, bytes | None]:
    """The picture upright, in colours that are shown the same everywhere, with the EXIF block and profile it needs."""
    profile = source.profile
    if image.mode == "CMYK":
        # Browsers show CMYK as they please, and its profile alone weighs more than many pictures.
        image, profile = colour.to_srgb(image, profile), None
    image = geometry.upright(image, source.metadata.orientation)
    return image, source.metadata.fresh_block(orientation=1), profile


def _png(source: Source, stripped: bytes, wanted: OutputOptions) -> bytes | None:
    if source.parts.timing is not None:
        return None
    pixels = source.image.width * source.image.height
    if encode.OXIPNG is None:
        return by_pillow(source) if ENCODERS["PNG"][0].fits(source.image.size) else None
    if pixels > _OXIPNG_PIXELS:
        return None
    level, most = _OXIPNG_LEVELS[wanted.preset]
    return by_oxipng(source, stripped, encode.OXIPNG.optimize_from_memory, level=level if pixels <= most else 1)


def _gif(source: Source, stripped: bytes, wanted: OutputOptions) -> bytes | None:
    (encoder,) = ENCODERS["GIF"]
    if not encoder.fits(source.image.size):
        return None
    written = encode.write(source.image, encoder, wanted.quality)
    if written is None:
        return None
    packed = strip.take_apart(written, source.format, Limits())
    encoded = packed.stripped(exif=None, with_profile=False)
    return encoded if animation.same_pictures(stripped, encoded, source.format) else None


def _webp(source: Source, stripped: bytes, wanted: OutputOptions) -> bytes | None:
    if not source.parts.lossless:
        return _lossy(source, stripped, wanted)
    fits = LOSSLESS[0].fits(source.image.size)
    return _upright(source, source.image, LOSSLESS[0], wanted.quality) if fits else None


def _avif(source: Source, stripped: bytes, wanted: OutputOptions) -> bytes | None:
    return _lossy(source, stripped, wanted) if source.parts.ordinary else None


#: How a picture that does not move is written in its own format; None where it is left as it is.
_STILL: Mapping[str, Callable[[Source, bytes, OutputOptions], bytes | None]] = {
    "JPEG": _lossy,
    "PNG": _png,
    "GIF": _gif,
    "WEBP": _webp,
    "AVIF": _avif,
}


def _animated(source: Source, stripped: bytes, wanted: OutputOptions, limits: Limits) -> bytes | None:
    """The animation written anew if it is within the limits and comes out with the same frames and times."""
    form, timing = source.format, source.parts.timing
    # Later frames may widen the screen, and the image is opened from the first.
    width, height = source.parts.size or source.image.size
    pixels = source.frames * width * height
    lossless = source.parts.lossless
    cap = min(limits.max_pixels, _ANIMATION_PIXELS.get((form.name, lossless), 0))
    if timing is None or pixels > cap or source.frames > limits.max_frames:
        return None
    encoder = LOSSLESS[0] if form.name == "WEBP" and lossless else ENCODERS[form.name][0]
    written = animation.written_anew(stripped, form, timing, encoder, wanted.quality, source.profile)
    parts = strip.take_apart(written, form, limits)
    if parts.timing != timing:
        return None
    exif = source.metadata.fresh_block(orientation=source.metadata.orientation)
    encoded = parts.stripped(exif=exif, with_profile=source.profile is not None)
    return encoded if not lossless or animation.same_pictures(stripped, encoded, form) else None


def _converted(source: Source, image: Image.Image, wanted: OutputOptions) -> tuple[str, bytes]:
    """A format that we do not write as the smallest that every browser shows."""
    image = colour.eight_bits(image)
    clear = colour.see_through(image)
    # WebP has no gray: a profile that speaks of gray samples is applied.
    applied = clear and image.mode == "LA" and source.profile is not None
    image = colour.to_srgb(image, source.profile) if applied else image
    image = image.convert("RGBA" if clear else _OPAQUE.get(image.mode, image.mode))
    image, exif, profile = _finished(source, image)
    ways = LOSSLESS if clear else encoders("JPEG", wanted.preset)
    return encode.write_first(image, ways, wanted.quality, exif=exif, profile=None if applied else profile)


_OPAQUE = {"LA": "L", "RGBA": "RGB"}


def by_oxipng(source: Source, stripped: bytes, optimize: Callable[..., bytes], *, level: int = 1) -> bytes | None:
    """`stripped` packed anew; None where oxipng gives up."""
    try:
        return packing.by_oxipng(stripped, source, optimize, level=level, seconds=_OXIPNG_SECONDS)
    except ValueError:
        return None


def by_pillow(source: Source) -> bytes | None:
    """The source by Pillow's optimize, lossless; None for what Pillow reads with a loss or cannot write back."""
    image, parts = source.image, source.parts
    if not isinstance(parts, Pieces) or parts.depth == 16 or (image.mode == "1" and "transparency" in image.info):
        return None
    written = encode.write(image, ENCODERS["PNG"][0], 100)
    if written is None:
        return None
    packed = png_parts.take_apart(written)
    # Pillow has written pixels; what says how they are shown comes from the source.
    return replace(source, parts=replace(parts, lead=packed.lead, body=packed.body)).stripped()
