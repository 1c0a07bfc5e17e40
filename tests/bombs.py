"""Files made for tests that are cut short, or cost far more than they weigh."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from tests import formats, images


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


def gif_of_whole_frames(frames: list[Image.Image], number: int = 1) -> bytes:
    """A GIF whose every frame is stored whole, alike or not, all of them `number` times; 50 ms each."""
    stills = [formats.gif(frame) for frame in frames]
    palette = 3 << (stills[0][10] & 7) + 1
    head = stills[0][:10] + b"\x00" + stills[0][11:13] + formats.gif_extension(0xFF, b"NETSCAPE2.0", b"\x01\x00\x00")
    control = formats.gif_extension(0xF9, struct.pack("<BHB", 0, 5, 0))
    body = b""
    for still in stills:
        image = still.index(b",", 13 + palette)
        local = still[image : image + 9] + bytes((0x80 | still[10] & 7,)) + still[13 : 13 + palette]
        body += control + local + still[image + 10 : -1]
    return head + body * number + b";"


def webp_of_whole_frames(frames: list[Image.Image], number: int = 1) -> bytes:
    """A WebP whose every frame is stored whole, alike or not, all of them `number` times; 50 ms each."""
    return webp_of_frames([formats.webp(frame)[12:] for frame in frames] * number, frames[0].size)


def webp_of_frames(frames: list[bytes], size: tuple[int, int]) -> bytes:
    """A WebP animation of frames that are given as their chunks."""
    canvas = b"".join(struct.pack("<I", side - 1)[:3] for side in size)
    body = formats.riff_chunk(b"VP8X", bytes((0x02, 0, 0, 0)) + canvas) + formats.riff_chunk(b"ANIM", bytes(6))
    place = bytes(6) + canvas + b"\x32\x00\x00\x02"
    body += b"".join(formats.riff_chunk(b"ANMF", place + frame) for frame in frames)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def gif_claiming(width: int, height: int) -> bytes:
    data = bytearray(formats.gif(Image.new("L", (8, 8))))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def gif_with_a_frame_out_of_its_screen() -> bytes:
    data = bytearray(formats.gif(Image.new("L", (8, 8))))
    place = data.index(b",", 13 + (3 << (data[10] & 7) + 1))
    data[place + 1 : place + 9] = struct.pack("<HHHH", 60_000, 60_000, 8, 8)
    return bytes(data)


def exif_of_texts(number: int, length: int, *, alike: bool = False) -> bytes:
    """A TIFF block whose every entry is a text that begins at its beginning and is almost all of it."""
    whole = 8 + 2 + 12 * number + 4 + length
    tags = ((0x8298 if alike else tag) for tag in range(number))
    rows = b"".join(struct.pack(">HHII", tag, 2, whole - 1, 0) for tag in tags)
    return b"MM\x00*" + struct.pack(">IH", 8, number) + rows + bytes(4 + length)


def png_with_exif(block: bytes) -> bytes:
    data = images.png()
    return data[:33] + images.png_chunk(b"eXIf", block) + data[33:]


def gif_that_widens(side: int, number: int) -> bytes:
    """A GIF of one pixel whose second frame is `side` wide and high, and `number` small ones after it."""
    first, wide = formats.gif(Image.new("L", (1, 1))), formats.gif(Image.new("L", (side, side)))
    start = 13 + (3 << (first[10] & 7) + 1)
    small, large = first[start:-1], wide[13 + (3 << (wide[10] & 7) + 1) : -1]
    second = bytearray(small)
    second[second.index(b",") + 1] = 1
    control = formats.gif_extension(0xF9, struct.pack("<BHB", 4, 5, 0))
    later = b"".join(control + (small, bytes(second))[each % 2] for each in range(number))
    return first[:start] + control + small + control + large + later + b";"


def png_with_a_frame_of_no_animation(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A small PNG with a frame of any size behind its pixels; it does not say that it moves."""
    control = images.png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 10, 0, 0))
    frame = images.png_chunk(b"fdAT", struct.pack(">I", 1) + (pixels or zlib.compress(bytes(10))))
    data = images.png(images.photo((64, 64)))
    return data[:-12] + control + frame + data[-12:]


def gif_with_blocks(number: int) -> bytes:
    data = formats.gif()
    head = 13 + (3 << (data[10] & 7) + 1)
    return data[:head] + formats.gif_extension(0xFE) * number + data[head:]


def gif_with_sub_blocks(number: int) -> bytes:
    data = formats.gif()
    head = 13 + (3 << (data[10] & 7) + 1)
    return data[:head] + b"!\xfe" + b"\x01x" * number + b"\x00" + data[head:]


def webp_claiming(width: int, height: int) -> bytes:
    """A WebP that says its canvas is of any size up to 16,777,216 a side."""
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = formats.riff_chunk(b"VP8X", bytes(4) + canvas) + formats.webp(Image.new("RGB", (8, 8)))[12:]
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_with_chunks(number: int) -> bytes:
    body = formats.webp()[12:] + formats.riff_chunk(b"prVt", b"") * number
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def with_sizes(data: bytes, width: int, height: int) -> bytes:
    """An AVIF or HEIC whose every picture claims to be of one size."""
    changed, place = bytearray(data), -1
    while (place := data.find(b"ispe", place + 1)) >= 0:
        changed[place + 8 : place + 16] = struct.pack(">II", width, height)
    return bytes(changed)


def avif_in_pieces(number: int) -> bytes:
    """An AVIF whose list of places says so often, with no bytes for it, that an item lies in many pieces."""
    place = struct.pack(">HHH", 1, 0, 0xFFFF)
    items = formats.iso_box(b"iloc", struct.pack(">IHH", 0, 0, number) + place * number)
    meta = formats.iso_box(b"meta", bytes(4) + items)
    return formats.iso_box(b"ftyp", b"avif\x00\x00\x00\x00avif") + meta


def avif_with_boxes(number: int) -> bytes:
    return formats.avif() + formats.iso_box(b"free", b"") * number


def raw_tiff(*tags: tuple[int, int, int, int], after: bytes = b"") -> bytes:
    """A TIFF whose only directory has these tags: (tag, type, count, value or place). `after` lies behind it."""
    rows = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\x00" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4) + after


def tiff_claiming(width: int, height: int, *more: tuple[int, int, int, int]) -> bytes:
    """An uncompressed gray TIFF of any size with a hundred pixels; `more` are further tags, or others."""
    tags = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 277: (3, 1, 1)}
    tags |= {273: (4, 1, 300), 278: (4, 1, height), 279: (4, 1, 100)} | {
        tag: (kind, count, value) for tag, kind, count, value in more
    }
    return raw_tiff(*((tag, *values) for tag, values in tags.items()), after=bytes(600))


def tiff_with_strips(number: int) -> bytes:
    return tiff_claiming(64, 64, (273, 4, number, 300)) + bytes(4 * number)


def tiff_of_packed_noughts(megapixels: int) -> bytes:
    """A few kilobytes that unpack to many megapixels, all of them allowed."""
    side = 1_000
    packed = zlib.compress(bytes(side * side * megapixels), 9)
    head = tiff_claiming(side, side * megapixels, (259, 3, 1, 8), (279, 4, 1, len(packed)))
    return head[:300] + packed


def bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(formats.bmp(Image.new("RGB", (8, 8))))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def bmp_in_runs(width: int, height: int, runs: bytes) -> bytes:
    """An 8-bit BMP whose pixels are `runs`."""
    palette = bytes(index for index in range(256) for _ in range(4))
    start = 54 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + info + palette + runs
