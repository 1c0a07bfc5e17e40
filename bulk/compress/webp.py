"""One WebP compressed: lossy ones encoded anew, lossless ones packed better, with the same metadata."""

from __future__ import annotations

from bulk.compress.options import Options
from pipeline.errors import SkipError
from pipeline.images import animation, encode
from pipeline.images.decode import Source
from pipeline.images.formats import FORMATS


def compressed(source: Source, options: Options) -> bytes:
    """The file with its picture encoded anew, in the stored orientation; animations are left as they are."""
    if source.frames > 1:
        raise SkipError("it is animated, and such a WebP is left as it is")
    # How colours are meant, and EXIF, are in a fresh file what they were; XMP has no other way than Pillow's reader.
    info = FORMATS["WEBP"].opened(source.stripped() if options.strip_metadata else source.data).info
    kept = {name: info[name] for name in ("exif", "xmp", "icc_profile") if info.get(name)}
    encoder = (encode.LOSSLESS if source.parts.lossless else encode.ENCODERS["WEBP"])[0]
    if not encoder.fits(source.image.size):
        raise SkipError("it is too large to be encoded anew in its time")
    written = encode.saved(source.image, "WEBP", **{"quality": max(1, options.quality), **encoder.parameters, **kept})
    return written


def check(source: Source, file: bytes) -> None:
    """ValueError unless `file` decodes and has the size of `source`, and the same pixels if it was lossless."""
    image = FORMATS["WEBP"].opened(file)
    image.load()
    if image.size != source.image.size:
        raise ValueError(f"it came out as {image.size}, not {source.image.size}")
    if source.parts.lossless and not animation.same_pictures(source.data, file, source.format):
        raise ValueError("it came out as another picture")
