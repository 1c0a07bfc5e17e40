"""Files made for tests that are cut short, or cost far more than they weigh."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from tests import images


def png_claiming(width: int, height: int) -> bytes:
    """A few bytes that claim a picture of any size."""
    return images.raw_png((width, height), 8, 2, [b"\x00" * 3])


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(images.jpeg(Image.new("RGB", (8, 8))))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_with_scans(number: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = images.jpeg(images.photo((64, 64)), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * number + data[-2:]


def png_with_text_bomb() -> bytes:
    """A chunk of 100 kB that unpacks to 100 MB."""
    bomb = images.png_chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(100_000_000), 9))
    data = images.png()
    return data[:33] + bomb + data[33:]


def png_with_profile_bomb() -> bytes:
    bomb = images.png_chunk(b"iCCP", b"name\x00\x00" + zlib.compress(bytes(100_000_000), 9))
    data = images.png()
    return data[:33] + bomb + data[33:]


def png_with_chunks(number: int) -> bytes:
    data = images.png()
    return data[:33] + images.png_chunk(b"prVt", b"") * number + data[33:]


def jpeg_with_segments(number: int) -> bytes:
    data = images.jpeg()
    return data[:2] + images.jpeg_segment(0xE5, b"") * number + data[2:]
