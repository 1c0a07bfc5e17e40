"""Every mode and colour space that a decoder gives, into sRGB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from itertools import product
from math import isfinite
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops

from pipeline.errors import Code, RejectError

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsProfile

#: The mode whose samples a profile describes, by image mode, and the ICC signature of that space.
_SPACES = {
    **dict.fromkeys(("1", "L", "LA", "La", "I;16", "I;16B", "I", "F"), "L"),
    **dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"), "RGB"),
    "CMYK": "CMYK",
}
_SIGNATURES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}
#: A profile is sRGB, whatever its name, when it moves no colour by more than this many of 255 steps.
_SAME = 2
_HIGH_BYTE = [value >> 8 for value in range(65_536)]


def useful_profile(profile: bytes | None, mode: str) -> bytes | None:
    """`profile` if it fits an image of `mode` and means something else than sRGB, else None."""
    space = _SPACES.get(mode)
    source = _opened(profile, space) if profile and space else None
    if source is None or space is None:
        return None
    if space == "CMYK":
        return profile
    probe = _probe(space)
    shown = _by_profile(probe, source)
    return profile if shown and _distance(shown, probe.convert("RGB")) > _SAME else None


def resizable(image: Image.Image) -> Image.Image:
    """`image` in a mode that can be resampled, with its transparency as a channel."""
    image = _RARE[image.mode](image) if image.mode in _RARE else image
    transparent = "transparency" in image.info
    if image.mode == "I;16":
        return _with_sixteen_bit_key(image) if transparent else image
    if image.mode in ("P", "RGB"):
        return image.convert("RGBA") if transparent else image.convert("RGB") if image.mode == "P" else image
    if image.mode in ("1", "L"):
        return image.convert("LA") if transparent else image.convert("L") if image.mode == "1" else image
    return image


def see_through(image: Image.Image) -> bool:
    """Whether any pixel of a resizable image is not opaque."""
    return "A" in image.getbands() and image.getchannel("A").getextrema() != (255, 255)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A resizable image as sRGB: "RGB", or "RGBA" where it has an alpha channel. Without a profile it is so already."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    plain = image if alpha is None else image.convert({"LA": "L", "RGBA": "RGB"}[image.mode])
    plain = eight_bits(plain)
    source = _opened(profile, plain.mode) if profile else None
    shown = (_by_profile(plain, source) if source else None) or plain.convert("RGB")
    if alpha is not None:
        shown.putalpha(alpha)
    return shown


def eight_bits(image: Image.Image) -> Image.Image:
    """`image`, as "L" if it has 16 bits a sample. Pillow's own conversion of "I;16" clips instead of scaling."""
    return _high_bytes(image) if image.mode == "I;16" else image


def inverted(image: Image.Image) -> Image.Image:
    """The negative of an image of 16 bits a sample."""
    return _of_sixteen_bits(image, lambda value: value * -1 + 65_535)


def of_twelve_bits(image: Image.Image) -> Image.Image:
    """An image whose samples of 12 bits lie in 16, as one of 16."""
    return _of_sixteen_bits(image, lambda value: value * 16 + 0)


def with_key_of_halves(high: Image.Image, low: Image.Image) -> Image.Image:
    """`high`, the upper halves of RGB of 16 bits, with its transparent colour as alpha: all six halves have to fit."""
    alpha = Image.new("L", high.size, 0)
    for half, shift in ((high, 8), (low, 0)):
        for band, sample in zip(half.split(), high.info["transparency"], strict=True):
            wanted = sample >> shift & 0xFF
            alpha = ImageChops.lighter(alpha, band.point([0 if value == wanted else 255 for value in range(256)]))
    shown = high.copy()
    shown.putalpha(alpha)
    return shown


def _of_sixteen_bits(image: Image.Image, change: Callable[[Any], Any]) -> Image.Image:
    # Pillow changes samples in one order of bytes only.
    return image.point(change) if image.mode == "I;16" else image.convert("I").point(change).convert(image.mode)


def _high_bytes(image: Image.Image) -> Image.Image:
    return image.convert("I").point(_HIGH_BYTE, "L")


def _stretched(image: Image.Image) -> Image.Image:
    """Samples of 32 bits as "L": fractions are shares of white, others run from the least to the most."""
    low, high = image.getextrema()
    if not (isinstance(low, int | float) and isinstance(high, int | float) and isfinite(low) and isfinite(high)):
        raise RejectError(Code.CORRUPT_FILE, "the image has samples that are no numbers")
    if image.mode == "F" and 0 <= low and high <= 1:
        low, high = 0, 1
    scale = 255 / (high - low) if high > low else 1
    return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    shown = ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    return shown or image.convert("RGB")


def _to(mode: str) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.convert(mode)


#: Modes in which only TIFF comes, and what makes one of the others of them.
_RARE: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "I;16B": _high_bytes,
    "I": _stretched,
    "F": _stretched,
    "LAB": _from_lab,
    "YCbCr": _to("RGB"),
    "RGBX": _to("RGB"),
    "PA": _to("RGBA"),
    "RGBa": _to("RGBA"),
    "La": _to("LA"),
}


def _with_sixteen_bit_key(image: Image.Image) -> Image.Image:
    key = image.info["transparency"]
    alpha = image.convert("I").point([0 if value == key else 255 for value in range(65_536)], "L")
    return Image.merge("LA", (_high_bytes(image), alpha))


def _opened(profile: bytes, space: str) -> ImageCmsProfile | None:
    """The profile if it can be read and describes samples of `space`."""
    from PIL import ImageCms

    try:
        opened = ImageCms.ImageCmsProfile(BytesIO(profile))
        return opened if opened.profile.xcolor_space == _SIGNATURES[space] else None
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


def _by_profile(image: Image.Image, source: ImageCmsProfile) -> Image.Image | None:
    from PIL import ImageCms

    try:
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ValueError, ImageCms.PyCMSError):
        return None


def _probe(space: str) -> Image.Image:
    """A few colours that lie all over the space."""
    bands = len(Image.new(space, (1, 1)).getbands())
    colours = bytes(value for colour in product((0, 51, 102, 153, 204, 255), repeat=bands) for value in colour)
    return Image.frombytes(space, (len(colours) // bands, 1), colours)


def _distance(one: Image.Image, other: Image.Image) -> int:
    return max(abs(a - b) for a, b in zip(one.tobytes(), other.tobytes(), strict=True))
