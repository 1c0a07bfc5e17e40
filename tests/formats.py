"""Files of every format for tests: one maker each, and what can be said of all of them in tables."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image, ImageSequence, TiffImagePlugin

from tests import images
from tests.images import SECRETS

pillow_heif.register_heif_opener()


def gif(image: Image.Image | None = None, *, private: bool = False, **parameters: object) -> bytes:
    """A GIF file; `private` gives it a comment, text, XMP and bytes after its end. `parameters` are Pillow's."""
    data = _saved(image, "GIF", **parameters)
    return with_gif_secrets(data) if private else data


def with_gif_secrets(data: bytes) -> bytes:
    head = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    extensions = (
        gif_extension(0xFE, SECRETS["comment"]),
        gif_extension(0x01, bytes(12), SECRETS["preview"]),
        gif_extension(0xFF, b"XMP DataXMP", images.xmp()),
        gif_extension(0xFF, b"NETSCAPE2.0", b"\x02" + SECRETS["iptc"]),
    )
    return data[:head] + b"".join(extensions) + data[head:] + SECRETS["trailer"]


def gif_extension(label: int, *blocks: bytes) -> bytes:
    return bytes((0x21, label)) + b"".join(bytes((len(block),)) + block for block in blocks) + b"\x00"


def webp(image: Image.Image | None = None, *, private: bool = False, **parameters: object) -> bytes:
    """A lossy WebP file; `private` gives it XMP, a chunk nobody knows, and bytes after its end."""
    parameters = {"quality": 95, "method": 0, **({"xmp": images.xmp()} if private else {}), **parameters}
    data = _saved(image, "WEBP", **parameters)
    if not private:
        return data
    whole = data[:12] + data[12:] + riff_chunk(b"prVt", SECRETS["preview"])
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:] + SECRETS["trailer"]


def lossless_webp(image: Image.Image | None = None, *, private: bool = False, **parameters: object) -> bytes:
    return webp(image, private=private, **{"lossless": True, "quality": 0, **parameters})


def riff_chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)


def avif(image: Image.Image | None = None, *, private: bool = False, **parameters: object) -> bytes:
    """An AVIF file, its orientation in the container. `private` adds XMP, a box nobody knows, and bytes at its end."""
    parameters = {"quality": 95, "speed": 10, **({"xmp": images.xmp()} if private else {}), **parameters}
    data = _saved(image, "AVIF", **parameters)
    return data + iso_box(b"uuid", SECRETS["preview"]) + SECRETS["trailer"] if private else data


def heic(image: Image.Image | None = None, *, private: bool = False, **parameters: object) -> bytes:
    """A HEIC file by pillow_heif, which writes the orientation into the container."""
    parameters = {"quality": 95, **({"xmp": images.xmp()} if private else {}), **parameters}
    return _saved(image, "HEIF", **parameters) + (SECRETS["trailer"] if private else b"")


def iso_box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload


def tiff(image: Image.Image | None = None, *, private: bool = False, exif: bytes = b"", **parameters: object) -> bytes:
    """A TIFF file, whose directory holds the EXIF; `private` adds XMP, IPTC, a second page, and bytes at its end."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    block = Image.Exif()
    block.load(exif or b"Exif\x00\x00")
    for tag in block:
        tags[tag] = block[tag] if tag not in (0x8825, 0x8769) else block.get_ifd(tag)
    if private:
        tags.tagtype.update({700: 1, 33723: 7})
        tags[700], tags[33723] = images.xmp(), SECRETS["iptc"]
        page = images.photo((16, 16))
        page.info["comment"] = SECRETS["comment"].decode()
        parameters = {"save_all": True, "append_images": [page], **parameters}
    data = _saved(image, "TIFF", tiffinfo=tags, **parameters)
    return data + SECRETS["comment"] + SECRETS["trailer"] if private else data


def gray_tiff(size: tuple[int, int], bits: int, pixels: bytes, order: str, white_is_zero: bool) -> bytes:
    """A TIFF of gray samples of any depth; `order` of its bytes as `struct` says it."""
    (width, height), start = size, 8 + 2 + 9 * 12 + 4
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: int(not white_is_zero), 273: start}
    tags |= {277: 1, 278: height, 279: len(pixels)}
    rows = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items())
    return {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HIH", 42, 8, 9) + rows + bytes(4) + pixels


def bmp(image: Image.Image | None = None, *, private: bool = False, **parameters: object) -> bytes:
    return _saved(image, "BMP", **parameters) + (SECRETS["trailer"] if private else b"")


def apng(*, private: bool = False, **parameters: object) -> bytes:
    data = _saved(moving()[0], "PNG", **animated(), **parameters)
    return images.with_png_secrets(data) if private else data


def moving(count: int = 4, size: tuple[int, int] = (120, 80)) -> list[Image.Image]:
    """Frames that all differ from each other."""
    return [images.photo(size).rotate(90 * number) for number in range(count)]


def animated(frames: list[Image.Image] | None = None) -> dict[str, Any]:
    """What Pillow has to be told to write `moving()` with a time of its own for each frame, three times over."""
    more = (frames or moving())[1:]
    return {"save_all": True, "append_images": more, "duration": [40 + 30 * n for n in range(len(more) + 1)], "loop": 3}


def frames_of(data: bytes) -> list[bytes]:
    """What is to be seen of each frame."""
    with Image.open(BytesIO(data)) as image:
        return [frame.convert("RGBA").convert("RGBa").tobytes() for frame in ImageSequence.Iterator(image)]


def times_of(data: bytes) -> list[int]:
    with Image.open(BytesIO(data)) as image:
        times = []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            times.append(round(frame.info["duration"]))
        return times


def _saved(image: Image.Image | None, form: str, **parameters: object) -> bytes:
    file = BytesIO()
    (image or images.photo()).save(file, form, **{key: value for key, value in parameters.items() if value != b""})
    return file.getvalue()


Maker = Callable[..., bytes]

#: The makers of still pictures, by a name for people; of each the modes that it can hold.
MAKERS: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "JPEG": (images.jpeg, ("RGB", "L", "CMYK")),
    "PNG": (images.png, ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    "GIF": (gif, ("1", "L", "P")),
    "WebP": (webp, ("RGB", "RGBA")),
    "lossless WebP": (lossless_webp, ("RGB", "RGBA")),
    "AVIF": (avif, ("L", "RGB", "RGBA")),
    "HEIC": (heic, ("L", "RGB", "RGBA")),
    "TIFF": (tiff, ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")),
    "BMP": (bmp, ("1", "L", "P", "RGB")),
}
#: Makers that take `exif`, and so an orientation.
WITH_EXIF = ("JPEG", "PNG", "WebP", "lossless WebP", "AVIF", "HEIC", "TIFF")
#: Which secrets each of them hides when told to be private and given a private EXIF block.
HIDDEN = {
    "JPEG": set(SECRETS),
    "PNG": set(SECRETS),
    "GIF": {"comment", "preview", "xmp", "iptc", "trailer"},
    "WebP": {"exif", "gps", "xmp", "preview", "trailer"},
    "lossless WebP": {"exif", "gps", "xmp", "preview", "trailer"},
    "AVIF": {"exif", "gps", "xmp", "preview", "trailer"},
    "HEIC": {"exif", "gps", "xmp", "trailer"},
    "TIFF": {"exif", "gps", "xmp", "iptc", "comment", "trailer"},
    "BMP": {"trailer"},
}


def made(name: str, mode: str, *, orientation: int | None = None, private: bool = False) -> bytes:
    """A file by one of `MAKERS`, with its EXIF where it can have any; small where writing it takes long."""
    maker, _ = MAKERS[name]
    size = (136, 90) if name in ("AVIF", "HEIC") else (272, 180)
    exif = images.exif(orientation=orientation, private=private) if orientation or private else b""
    return maker(images.photo(size, mode), private=private, **({"exif": exif} if exif and name in WITH_EXIF else {}))
