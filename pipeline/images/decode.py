"""From bytes to pixels: by content, within limits, and with every failure as a RejectError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

from PIL import Image
from PIL.ImageFile import ImageFile

from pipeline.errors import Code, PipelineError, RejectError
from pipeline.images import colour, geometry, png_parts, strip
from pipeline.images.formats import FORMATS, Format, sniff
from pipeline.images.metadata import Metadata, read_exif
from pipeline.images.options import Limits
from pipeline.images.parts import Parts, Pieces

#: What the decoder says of pixels; all else that it has read from the file is left behind.
_KEPT_INFO = frozenset({"transparency", "interlace"})

#: Pixels up to which a decoder stays within the memory of an image. Pillow's WebP decoder holds four copies.
_MAX_DECODED = {"WEBP": 40_000_000}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source image whose header has been read and found within the limits.

    `image`, the first of `frames` (of an APNG the one that programs show that know no animation), is not decoded before
    `load(source)`. `profile` is its ICC profile if that says other than sRGB.
    """

    data: bytes
    format: Format
    parts: Parts
    metadata: Metadata
    profile: bytes | None
    frames: int
    image: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """As shown, in pixels."""
        return geometry.shown_size(self.image.size, self.metadata.orientation)

    @property
    def moves(self) -> bool:
        """Whether it leaves as an animation. Of formats that we do not write, the first picture alone is taken."""
        return self.frames > 1 and self.format.written

    def stripped(self) -> bytes:
        """The file with its pixels untouched and its private metadata removed; never longer than `data`."""
        orientation = 1 if self.parts.turned_by_container else self.metadata.orientation
        exif = self.metadata.fresh_block(orientation=orientation)
        return self.parts.stripped(exif=exif, with_profile=self.profile is not None)


@contextmanager
def rejecting() -> Iterator[None]:
    """The edge to the decoders: whatever they raise for a bad image leaves as a RejectError with its code."""
    try:
        yield
    except (PipelineError, ImportError):
        # What is raised on purpose keeps its meaning. A library that cannot be loaded is no fault of the image: it may
        # go well after the next deployment.
        raise
    except OSError as error:
        # With a number it is the system's word on files and descriptors, of which an image in memory has none.
        if error.errno is not None:
            raise
        raise _rejected(error) from error
    except MemoryError as error:
        raise RejectError(Code.TOO_LARGE, "the image needs more memory than there is") from error
    except Exception as error:
        raise _rejected(error) from error


def _rejected(error: Exception) -> RejectError:
    truncated = isinstance(error, EOFError) or "truncated" in str(error).lower()
    code = Code.TRUNCATED_IMAGE if truncated else Code.CORRUPT_FILE
    return RejectError(code, f"{type(error).__name__}: {error}")


def examine(data: bytes, limits: Limits) -> Source:
    """The source image in `data`, not decoded yet. RejectError for what is no image, damaged or beyond `limits`."""
    form = _identified(data)
    _require(len(data), limits.max_bytes, "bytes")
    parts = strip.take_apart(data, form, limits)
    if parts.size:
        _require_size(parts.size, form, limits)
    image = form.opened(parts.bare())
    _require_size(image.size, form, limits)
    metadata = read_exif(parts.exif)
    if parts.turned_by_container:
        metadata = replace(metadata, orientation=read_exif(_exif_of(image)).orientation)
    frames = parts.frames or int(getattr(image, "n_frames", 1))
    image.info = {key: image.info[key] for key in _KEPT_INFO & image.info.keys()}
    _scale_key(image, parts.depth)
    return Source(
        data=data,
        format=form,
        parts=parts,
        metadata=metadata,
        profile=colour.useful_profile(parts.profile, image.mode),
        frames=frames,
        image=image,
    )


def load(source: Source) -> None:
    """Decodes the image; RejectError when its pixels are not all there."""
    image = source.image
    image.load()
    _set_samples_right(image, source.parts)
    # WebP's decoder would hold two more pictures for as long as the image lives.
    vars(image).pop("_decoder", None)
    # Pillow leaves rows black that a PNG does not have. Looking closer costs as much as decoding, so it is done only
    # where the last row is black, or where rows do not come in their order.
    if isinstance(source.parts, Pieces) and source.format.name == "PNG":
        if image.info.get("interlace") or _last_row_is_black(image):
            if not png_parts.holds_all_pixels(source.parts):
                raise RejectError(Code.TRUNCATED_IMAGE, "the PNG has fewer pixels than its header says")


def _set_samples_right(image: Image.Image, parts: Parts) -> None:
    """What decoders leave to us where a sample has more than 8 bits: those of 12 as 16, and negatives."""
    if image.mode in ("I;16", "I;16B") and isinstance(parts, Pieces):
        if parts.depth == 12:
            image.im = colour.of_twelve_bits(image).im
        if parts.negative:
            image.im = colour.inverted(image).im
    elif image.mode == "RGB" and parts.depth == 16 and "transparency" in image.info:
        with_key = colour.with_key_of_halves(image, _low_bytes(parts.bare()))
        image.im, image._mode = with_key.im, with_key.mode
        del image.info["transparency"]


def _low_bytes(png: bytes) -> Image.Image:
    """The lower half of each sample of an RGB image of 16 bits, of which Pillow gives the upper half only."""
    low = cast(ImageFile, FORMATS["PNG"].opened(png))
    low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]
    low.load()
    return low


def _exif_of(image: Image.Image) -> bytes | None:
    """The EXIF block in which a decoder says how its container turns the picture."""
    block = image.info.get("exif")
    return block.removeprefix(b"Exif\x00\x00") if isinstance(block, bytes) else None


def _require_size(size: tuple[int, int], form: Format, limits: Limits) -> None:
    width, height = size
    if not (width and height):
        raise RejectError(Code.CORRUPT_FILE, f"the image is {width}×{height} pixels")
    _require(max(width, height), limits.max_side, "pixels on its longer side")
    _require(width * height, min(limits.max_pixels, _MAX_DECODED.get(form.name, limits.max_pixels)), "pixels")


def _last_row_is_black(image: Image.Image) -> bool:
    return not any(image.crop((0, image.height - 1, image.width, image.height)).tobytes())


def _identified(data: bytes) -> Format:
    if not data:
        raise RejectError(Code.INVALID_CONTENT)
    form = sniff(data)
    if form is None:
        names = ", ".join(FORMATS)
        raise RejectError(Code.INVALID_EXTENSION, f"the content is none of {names}")
    return form


def _require(value: int, limit: int, unit: str) -> None:
    if value > limit:
        raise RejectError(Code.TOO_LARGE, f"the image has {value:,} {unit}; the limit is {limit:,}")


def _scale_key(image: Image.Image, depth: int) -> None:
    # Pillow scales samples of other depths to 8 bits, but leaves the transparent colour as it stands in the file.
    key = image.info.get("transparency")
    if image.mode == "L" and depth < 8 and isinstance(key, int):
        image.info["transparency"] = key * 255 // (2**depth - 1)
