"""One WebP compressed: lossy ones encoded anew, lossless ones packed better, with all that stood beside the picture."""

from __future__ import annotations

import math

from bulk.compress.likeness import EIGHTH, are_alike_from_afar, decibels
from bulk.compress.options import Options
from bulk.strict_webp import chunks, end_of
from pipeline.errors import SkipError
from pipeline.images import encode
from pipeline.images.decode import Source
from pipeline.images.encoders import ENCODERS, LOSSLESS
from pipeline.images.formats import FORMATS

_PIXELS = frozenset({b"ALPH", b"VP8 ", b"VP8L"})


def compressed(source: Source, options: Options) -> bytes:
    """The file with its picture encoded anew, in the stored orientation; animations are left as they are."""
    if source.parts.timing is not None:
        raise SkipError("it is animated, and such a WebP is left as it is")
    trailer = source.data[end_of(source.data) :]
    if options.strip_metadata and trailer.strip(b"\0"):
        raise SkipError(f"{len(trailer):,} bytes follow its end, and might be lost with its metadata")
    encoder = (LOSSLESS if source.parts.lossless else ENCODERS["WEBP"])[0]
    if not encoder.fits(source.image.size):
        raise SkipError("it is too large to be encoded anew in its time")
    encoded = encode.saved(source.image, "WEBP", **{"quality": max(1, options.quality), **encoder.parameters})
    file = source.stripped() if options.strip_metadata else source.data
    return rebuilt(file, encoded) + (trailer if trailer.strip(b"\0") else b"")


def rebuilt(file: bytes, encoded: bytes) -> bytes:
    """`file` with the pixels of `encoded`; every other chunk, the unknown ones too, as it is and where it stood.

    What VP8X says of the whole stays true (RFC 9649): the size is the same, and there is no more transparency than was.
    """
    pixels = b"".join(_chunk(kind, payload) for kind, payload in chunks(encoded) if kind in _PIXELS)
    body = b"WEBP"
    for kind, payload in chunks(file):
        if kind not in _PIXELS:
            body += _chunk(kind, payload)
        else:
            body, pixels = body + pixels, b""
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def check(source: Source, file: bytes) -> None:
    """ValueError unless `file` decodes and shows the loaded picture of `source`: the very same if it was lossless."""
    image = FORMATS["WEBP"].opened(file)
    image.load()
    if image.size != source.image.size:
        raise ValueError(f"it came out as {image.size}, not {source.image.size}")
    if source.parts.lossless:
        same = math.isinf(decibels(source.image, image))
    else:
        same = are_alike_from_afar(source.image.reduce(EIGHTH), image.reduce(EIGHTH))
    if not same:
        raise ValueError("it came out as another picture")


def _chunk(kind: bytes, payload: memoryview) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) % 2)
