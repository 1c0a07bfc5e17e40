"""One PNG compressed: without loss, or in few colours where these do it justice."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

from PIL import Image

from bulk.compress.likeness import decibels
from bulk.compress.options import Options
from pipeline.errors import SkipError
from pipeline.images import colour, encode, packing
from pipeline.images.decode import Source, examine, load
from pipeline.images.formats import FORMATS
from pipeline.images.options import Limits
from pipeline.images.png_parts import ANIMATION

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
#: These speak of samples as they were stored, and mean nothing for samples of another kind.
_OF_SAMPLES = frozenset({b"sBIT", b"bKGD", b"hIST", b"sPLT"})
#: Beyond it, one image would keep a processor for minutes.
_OXIPNG_PIXELS = 100_000_000
_OXIPNG_SECONDS = 60.0
#: Peak signal to noise, in decibels, that a picture in few colours must reach; photographs come to about 38.
LEAST_DECIBELS = 35.0


def compressed(source: Source, options: Options) -> bytes:
    """The file with fewer bytes, as far as that goes; SkipError where there is no way to try."""
    if source.parts.timing is not None or source.frames > 1:
        raise SkipError("it is animated, and such a PNG is left as it is")
    if any(kind in ANIMATION for kind, _ in _chunks(source.data)):
        # They are nobody's frames, and oxipng would unpack them, however large they say they are.
        raise SkipError("it holds frames of an animation, and does not say that it is one")
    trailer = source.data[_end(source.data) :]
    if options.strip_metadata and trailer.strip(b"\0"):
        raise SkipError(f"{len(trailer):,} bytes follow its end, and might be lost with its metadata")
    file = source.stripped() if options.strip_metadata else source.data
    few = _in_few_colours(source, file, options.png_colors) if options.png_colors else None
    return _optimized(few or file, source) + (trailer if trailer.strip(b"\0") else b"")


def check(source: Source, file: bytes, options: Options, limits: Limits) -> None:
    """ValueError unless `file` shows the pixels of the loaded `source`: the very same, or in few colours almost."""
    # Opened as the source was: Pillow alone does not scale the colour that is seen through with the samples.
    made = examine(file, limits)
    load(made)
    image = made.image
    if image.size != source.image.size:
        raise ValueError(f"it came out as {image.size}, not {source.image.size}")
    if source.image.mode == "I;16":
        # Fewer bits are written where the lower half of each sample says nothing new.
        same = colour.eight_bits(image).tobytes() == colour.eight_bits(source.image).tobytes()
    else:
        likeness = decibels(source.image, image)
        same = math.isinf(likeness) or (bool(options.png_colors) and likeness >= LEAST_DECIBELS)
    if not same:
        raise ValueError("it came out as another picture")


def _in_few_colours(source: Source, file: bytes, colours: int) -> bytes | None:
    """The picture in a palette, or None where it has one, has 16 bits a sample, or would suffer."""
    image = source.image
    if image.mode not in ("RGB", "RGBA") or source.parts.depth == 16:
        return None
    if "transparency" in image.info:
        image = image.convert("RGBA")
    few = image.quantize(colours, Image.Quantize.FASTOCTREE)
    if decibels(image, few) < LEAST_DECIBELS:
        return None
    written = BytesIO()
    few.save(written, "PNG")
    return _transplanted(file, written.getvalue())


def _optimized(file: bytes, source: Source) -> bytes:
    if encode.OXIPNG is None:
        return by_pillow(file, source)
    if source.image.width * source.image.height > _OXIPNG_PIXELS:
        raise SkipError(f"it has more than {_OXIPNG_PIXELS:,} pixels, too many to look for a smaller PNG")
    return by_oxipng(file, source, encode.OXIPNG.optimize_from_memory)


def by_oxipng(file: bytes, source: Source, optimize: Callable[..., bytes]) -> bytes:
    """`file` packed anew; SkipError where oxipng gives up."""
    try:
        return packing.by_oxipng(file, source, optimize, level=1, seconds=_OXIPNG_SECONDS)
    except ValueError as error:
        raise SkipError(str(error)) from error


def by_pillow(file: bytes, source: Source) -> bytes:
    """`file` packed anew where there is no oxipng; SkipError for what Pillow reads with a loss or cannot write back."""
    image = FORMATS["PNG"].opened(file)
    if source.parts.depth == 16 or (image.mode == "1" and "transparency" in image.info):
        raise SkipError("Pillow cannot write such a PNG without a loss, and there is no oxipng for this Python")
    written = BytesIO()
    image.save(written, "PNG", optimize=True)
    return _transplanted(file, written.getvalue())


def _transplanted(file: bytes, encoded: bytes) -> bytes:
    """The pixels of `encoded` with what `file` says besides its own; colour spaces have to come before a palette."""
    kept = _PIXELS | _OF_SAMPLES
    before, after, behind = b"", b"", False
    for kind, chunk in _chunks(file):
        behind = behind or kind == b"IDAT"
        if kind not in kept:
            before, after = (before, after + chunk) if behind else (before + chunk, after)
    pixels = [(kind, chunk) for kind, chunk in _chunks(encoded) if kind in _PIXELS]
    header = b"".join(chunk for kind, chunk in pixels if kind == b"IHDR")
    body = b"".join(chunk for kind, chunk in pixels if kind not in (b"IHDR", b"IEND"))
    return _SIGNATURE + header + before + body + after + _chunk(b"IEND", b"")


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    position, kind = len(_SIGNATURE), b""
    while kind != b"IEND" and position + 12 <= len(file):
        (length,) = struct.unpack_from(">I", file, position)
        kind = file[position + 4 : position + 8]
        yield kind, file[position : position + 12 + length]
        position += 12 + length


def _end(file: bytes) -> int:
    """Where the picture ends; whatever else somebody wrote into the file follows."""
    return len(_SIGNATURE) + sum(len(chunk) for _, chunk in _chunks(file))


def _chunk(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)
