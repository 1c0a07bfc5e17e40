"""Images made for tests: each function returns the bytes of a file with one property.

Files with a defect are made in bombs.py, colour profiles in colour_profiles.py.
"""

from __future__ import annotations

import math
import random
import struct
import zlib
from collections.abc import Iterable
from io import BytesIO

from PIL import Image, ImageDraw

#: Texts that must never be found in an output; each metadata maker hides one of them.
SECRETS = {
    "gps": b"N52GPSSECRET",
    "exif": b"EXIFSECRET",
    "xmp": b"XMPSECRET",
    "comment": b"COMMENTSECRET",
    "iptc": b"IPTCSECRET",
    "preview": b"PREVIEWSECRET",
    "trailer": b"TRAILERSECRET",
}
ARTIST = "Ada Example"
COPYRIGHT = "(c) 2024 Ada Example"


def photo(size: tuple[int, int] = (300, 200), mode: str = "RGB") -> Image.Image:
    """A smooth picture without symmetry: each orientation and each corner can be told from the others."""
    width, height = size
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (across, down, Image.new("L", size, 90)))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 3, height // 4), fill=(220, 40, 40))
    draw.ellipse((width // 2, height // 2, width - 1, height - 1), fill=(30, 70, 200))
    return image if mode == "RGB" else in_mode(image, mode)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """`image` in one of Pillow's modes; those with alpha fade out to the left."""
    if mode == "I;16":
        wide = image.convert("L").convert("I").point(lambda value: value * 257)
        return wide.convert("I;16")
    if mode in ("LA", "RGBA"):
        result = image.convert(mode)
        result.putalpha(Image.linear_gradient("L").rotate(90).resize(image.size))
        return result
    if mode == "P":
        return image.quantize(64)
    if mode == "1":
        return image.convert("L").point(lambda value: 255 if value > 128 else 0).convert("1")
    return image.convert(mode)


def noise(size: tuple[int, int], *, sigma: float = 40.0) -> Image.Image:
    """The same pixels in every test: Pillow's effect_noise would go on from where another test has left it."""
    values = random.Random(f"{size}").randbytes(3 * size[0] * size[1])
    spread = sigma * math.sqrt(12) / 255
    return Image.frombytes("RGB", size, values).point(lambda value: round(127.5 + (value - 127.5) * spread))


def exif(
    *,
    orientation: int | None = None,
    private: bool = False,
    rights: bool = False,
    taken: str | None = None,
    offset: str | None = None,
    model: str | None = None,
) -> bytes:
    """An EXIF block as Pillow writes it, "Exif\\0\\0" included."""
    block = Image.Exif()
    if orientation is not None:
        block[0x0112] = orientation
    if model is not None:
        block[0x0110] = model
    if private:
        block[0x010E] = SECRETS["exif"].decode()
        block.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 29: SECRETS["gps"].decode()})
    if rights:
        block[0x013B] = ARTIST
        block[0x8298] = COPYRIGHT
    capture = block.get_ifd(0x8769)
    if taken is not None:
        capture[0x9003] = taken
    if offset is not None:
        capture[0x9011] = offset
    return block.tobytes()


def xmp() -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRETS["xmp"] + b"</x:xmpmeta>"


def jpeg(image: Image.Image | None = None, *, private: bool = False, **parameters: object) -> bytes:
    """A JPEG file; `private` gives it every kind of metadata that must not leave. `parameters` are Pillow's."""
    file = BytesIO()
    parameters = {"quality": 92, **({"xmp": xmp(), "comment": SECRETS["comment"]} if private else {}), **parameters}
    (image or photo()).save(file, "JPEG", **parameters)
    return with_jpeg_secrets(file.getvalue()) if private else file.getvalue()


def with_jpeg_secrets(data: bytes) -> bytes:
    """The JPEG with IPTC, a JFXX preview, a segment nobody knows, and bytes after its end."""
    segments = (
        jpeg_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x0c" + SECRETS["iptc"]),
        jpeg_segment(0xE0, b"JFXX\x00\x10" + SECRETS["preview"]),
        jpeg_segment(0xE9, b"whatever " + SECRETS["preview"]),
    )
    head = 4 + int.from_bytes(data[4:6], "big")
    return data[:head] + b"".join(segments) + data[head:] + SECRETS["trailer"]


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def mpo() -> bytes:
    """Two pictures in one file, as stereo cameras and phones write them."""
    file = BytesIO()
    photo().save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (300, 200), "lime")])
    return file.getvalue()


def png(image: Image.Image | None = None, *, private: bool = False, **parameters: object) -> bytes:
    """A PNG file, written in haste so that there is something to save; `parameters` are Pillow's."""
    file = BytesIO()
    (image or photo()).save(file, "PNG", **{"compress_level": 1, **parameters})
    return with_png_secrets(file.getvalue()) if private else file.getvalue()


def with_png_secrets(data: bytes) -> bytes:
    """The PNG with text in three kinds of chunk, a time, a private chunk, and bytes after its end."""
    chunks = (
        png_chunk(b"tEXt", b"Comment\x00" + SECRETS["comment"]),
        png_chunk(b"zTXt", b"Raw profile type iptc\x00\x00" + zlib.compress(SECRETS["iptc"], 0)),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + xmp()),
        png_chunk(b"tIME", bytes((7, 232, 1, 2, 3, 4, 5))),
        png_chunk(b"prVt", SECRETS["preview"]),
    )
    return data[:33] + b"".join(chunks) + data[33:] + SECRETS["trailer"]


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def raw_png(
    size: tuple[int, int],
    depth: int,
    colour: int,
    rows: Iterable[bytes],
    *,
    before: bytes = b"",
    after: bytes = b"",
    interlaced: bool = False,
) -> bytes:
    """A PNG of any depth and colour type from packed rows, if interlaced those of its passes.

    `before` and `after` are chunks around its pixels.
    """
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced))
    pixels = png_chunk(b"IDAT", zlib.compress(b"".join(b"\x00" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + before + pixels + after + png_chunk(b"IEND", b"")


def interlaced_png(image: Image.Image, missing: int = 0) -> bytes:
    """An "L" image in the seven passes of Adam7; the last `missing` bytes of its pixel data are left out."""
    width, height = image.size
    pixels = image.tobytes()
    rows = b""
    for x, y, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        rows += b"".join(b"\x00" + pixels[row * width + x : (row + 1) * width : dx] for row in range(y, height, dy))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1))
    data = png_chunk(b"IDAT", zlib.compress(rows[: len(rows) - missing]))
    return b"\x89PNG\r\n\x1a\n" + header + data + png_chunk(b"IEND", b"")


def apng() -> bytes:
    file = BytesIO()
    photo().save(file, "PNG", save_all=True, append_images=[Image.new("RGB", (300, 200), "lime")], duration=80)
    return file.getvalue()


def truncated(data: bytes, share: float = 0.5) -> bytes:
    return data[: int(len(data) * share)]
