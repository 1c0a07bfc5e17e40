"""One JPEG picture compressed: the same pixels in their stored orientation, and the same metadata around them."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from bulk.compress import jpeg_files
from bulk.compress.likeness import EIGHTH, are_alike_from_afar
from bulk.compress.options import Options
from bulk.strict import jpeg_pixels
from pipeline.errors import SkipError
from pipeline.images import encode
from pipeline.images.decode import Source
from pipeline.images.encoders import ENCODERS
from pipeline.images.formats import FORMATS

#: What is decoded strictly in full; larger files show in an eighth of their size first that they are worth the memory.
_PIXELS_AT_ONCE = 100_000_000


def strictly_loaded(source: Source) -> Source | None:
    """`source` with its pixels, from the one decode that also finds damage; None for what is better decoded twice.

    Raises ValueError, with what is wrong, for a file that is not whole.
    """
    image = source.image
    if image.mode not in ("RGB", "L") or image.width * image.height > _PIXELS_AT_ONCE:
        return None
    return replace(source, image=Image.fromarray(jpeg_pixels(source.data, image.mode)))


def compressed(source: Source, options: Options) -> bytes:
    """The file with its picture encoded anew; whatever followed the picture still does."""
    trailer = source.data[jpeg_files.end_of(source.data) :]
    if options.strip_metadata and trailer.strip(b"\0"):
        raise SkipError(f"{len(trailer):,} bytes follow its picture, and might be lost with its metadata")
    file = source.stripped() if options.strip_metadata else source.data
    return picture(source, file, options) + (trailer if trailer.strip(b"\0") else b"")


def picture(source: Source, file: bytes, options: Options) -> bytes:
    """The loaded `source` encoded anew, with the metadata of `file`. Colours stay as finely sampled as they were."""
    sampling = jpeg_files.sampling_of(source.data)
    encoder = ENCODERS["JPEG"][0]
    parameters = {**encoder.parameters, "subsampling": sampling, "progressive": jpeg_files.is_progressive(source.data)}
    encoded = encode.write(source.image, replace(encoder, parameters=parameters), max(1, options.quality))
    if encoded is None:
        raise SkipError("its encoder gave up")
    return jpeg_files.rebuilt(file, encoded)


def check(source: Source, file: bytes) -> None:
    """ValueError unless `file` decodes to its end and shows the loaded picture of `source`, in its size and mode."""
    image = FORMATS["JPEG"].opened(file)
    if (image.size, image.mode) != (source.image.size, source.image.mode):
        raise ValueError(f"it came out as {image.size} {image.mode}, not {source.image.size} {source.image.mode}")
    near = source.image
    if min(image.size) >= EIGHTH:
        # An eighth of the size reads every bit of the file and leaves out the work on pixels.
        image.draft(image.mode, (image.width // EIGHTH, image.height // EIGHTH))
        near = source.image.reduce(EIGHTH)
    image.load()
    if near.size != image.size:
        near = near.resize(image.size)
    if not are_alike_from_afar(image, near):
        raise ValueError("it came out as another picture")
