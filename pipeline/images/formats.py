"""The one home of what we know about image formats: names, MIME types, extensions, first bytes, decoders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from types import MappingProxyType
from typing import cast

from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format. `name` is Pillow's (HEIC, which Pillow does not know, is pi_heif's), `ext` has no dot.

    `decoder`: "module:class" of the image that reads it; the module is imported when the first such image is met.
    `magic` matches the first bytes; ISO media files (AVIF, HEIC) are told by one of their `brands` instead.
    `isolated`: whether its decoder is trusted so little that it runs in a child (`isolate.py`).
    `written`: whether we write it; the others only come in, and leave as JPEG or WebP.
    """

    name: str
    mime: str
    ext: str
    decoder: str
    magic: re.Pattern[bytes] | None = None
    brands: frozenset[bytes] = frozenset()
    isolated: bool = False
    written: bool = True

    def opened(self, data: bytes) -> Image.Image:
        """Pillow's image for this format and no other, its header read.

        `Image.open` would also measure by `Image.MAX_IMAGE_PIXELS` and speak through `warnings`: both belong to the
        process, so a thread can neither set nor silence them. Our own limits are checked instead.
        """
        module, _, name = self.decoder.partition(":")
        return cast(Image.Image, getattr(import_module(module), name)(BytesIO(data)))

    def load_plugin(self) -> None:
        """Registers the format with Pillow, for writing; without it Pillow would import all of its forty plugins."""
        import_module(self.decoder.partition(":")[0])


def _starts(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


_ROWS = (
    Format(
        name="JPEG",
        mime="image/jpeg",
        ext="jpg",
        decoder="PIL.JpegImagePlugin:JpegImageFile",
        magic=_starts(rb"\xff\xd8\xff"),
    ),
    Format(
        name="PNG",
        mime="image/png",
        ext="png",
        decoder="PIL.PngImagePlugin:PngImageFile",
        magic=_starts(rb"\x89PNG\r\n\x1a\n"),
    ),
    Format(
        name="GIF",
        mime="image/gif",
        ext="gif",
        decoder="PIL.GifImagePlugin:GifImageFile",
        magic=_starts(rb"GIF8[79]a"),
    ),
    Format(
        name="WEBP",
        mime="image/webp",
        ext="webp",
        decoder="PIL.WebPImagePlugin:WebPImageFile",
        magic=_starts(rb"RIFF.{4}WEBPVP8[ LX]"),
    ),
    Format(
        name="AVIF",
        mime="image/avif",
        ext="avif",
        decoder="PIL.AvifImagePlugin:AvifImageFile",
        brands=frozenset({b"avif", b"avis"}),
        isolated=True,
    ),
    Format(
        name="HEIF",
        mime="image/heic",
        ext="heic",
        decoder="pi_heif.as_plugin:HeifImageFile",
        brands=frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}),
        written=False,
        isolated=True,
    ),
    Format(
        name="TIFF",
        mime="image/tiff",
        ext="tif",
        decoder="PIL.TiffImagePlugin:TiffImageFile",
        magic=_starts(rb"II\*\x00|MM\x00\*"),
        written=False,
        isolated=True,
    ),
    Format(
        name="BMP",
        mime="image/bmp",
        ext="bmp",
        decoder="PIL.BmpImagePlugin:BmpImageFile",
        # "BM" alone begins many a text; the length of the second header has few values.
        magic=_starts(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00"),
        written=False,
    ),
)

FORMATS: Mapping[str, Format] = MappingProxyType({row.name: row for row in _ROWS})

_BY_BRAND = {brand: row for row in _ROWS for brand in row.brands}
_MAX_BRANDS = 64


def sniff(data: bytes) -> Format | None:
    """The format that the first bytes of `data` show, whatever the file is called."""
    if data[4:8] == b"ftyp":
        # The brand that stands first counts most: an AVIF may say that it is also readable as something else.
        return next((_BY_BRAND[brand] for brand in _brands(data) if brand in _BY_BRAND), None)
    return next((row for row in _ROWS if row.magic and row.magic.match(data)), None)


def _brands(data: bytes) -> Iterator[bytes]:
    """The major and the compatible brands of an ISO media file (ISO/IEC 14496-12, 4.3)."""
    end = min(len(data), int.from_bytes(data[:4], "big"), 4 * _MAX_BRANDS)
    yield data[8:12]
    yield from (data[start : start + 4] for start in range(16, end - 3, 4))
