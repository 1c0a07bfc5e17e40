from __future__ import annotations

import base64
import hashlib
import struct
from io import BytesIO

import pytest
from PIL import Image

from pipeline.images.metadata import read_exif
from pipeline.images.options import ImageOptions, OutputOptions
from pipeline.images.thumbhash import thumbhash
from pipeline.images.transform import transform
from pipeline.job import Facts
from tests import formats, images


def facts(**tags: str | int) -> Facts:
    return transform(images.jpeg(exif=images.exif(**tags))).facts  # type: ignore[arg-type]


def test_bytes_and_hash_are_those_of_the_source():
    data = images.jpeg(exif=images.exif(orientation=6))

    result = transform(data).facts

    assert (result.bytes, result.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert result.size == (200, 300)


@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    (
        ("2024:05:01 10:20:30", None, "2024-05-01T10:20:30"),
        ("2024:05:01 10:20:30", "+02:00", "2024-05-01T10:20:30+02:00"),
        ("2024:02:29 23:59:59", "-03:30", "2024-02-29T23:59:59-03:30"),
        ("2024:05:01 10:20:30", "+99:00", "2024-05-01T10:20:30"),
        ("2024:05:01 10:20:30", "Z", "2024-05-01T10:20:30"),
        ("2023:02:29 10:20:30", None, None),
        ("0000:00:00 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("2024-05-01 10:20:30", None, None),
        ("yesterday", "+02:00", None),
    ),
)
def test_the_moment_of_capture_is_iso_8601_and_left_out_when_it_is_none(taken, offset, expected):
    tags = {"taken": taken} | ({"offset": offset} if offset else {})

    assert facts(**tags).taken_at == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    (
        ("Canon EOS R6", "Canon EOS R6"),
        ("  NIKON\tD850 \r\n", "NIKON D850"),
        ("evil\x1b[31m\u202ename\nfake", "evil [31m name fake"),
        ("x" * 500, "x" * 100),
        ("\x01\x02", None),
        ("é" * 3, "ééé"),
    ),
)
def test_the_camera_is_one_clean_line(model: str, expected: str | None):
    text = model.encode()
    data = images.jpeg(exif=images.exif(model="?" * len(text))).replace(b"?" * len(text), text, 1)

    assert transform(data).facts.camera_model == expected


@pytest.mark.parametrize("orientation", (0, 9, 255, 60_000))
def test_an_orientation_that_does_not_exist_is_none(orientation: int):
    assert facts(orientation=orientation).size == (300, 200)


@pytest.mark.parametrize(
    "block",
    (
        b"",
        b"nonsense",
        b"II*\x00\xff\xff\xff\xff",
        b"MM\x00*\x00\x00\x00\x08\xff\xff" + bytes(20),
        b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00",
    ),
    ids=("empty", "no TIFF", "a far directory", "too many entries", "cut off"),
)
def test_broken_exif_means_upright_and_says_nothing(block: bytes):
    result = transform(images.jpeg(exif=b"Exif\x00\x00" + block)).facts

    assert (result.size, result.taken_at, result.camera_model) == ((300, 200), None, None)


@pytest.mark.parametrize("order", ("<", ">"))
def test_both_byte_orders_of_exif_are_read(order: str):
    block = Image.Exif()
    block.endian = order
    block[0x0112] = 6

    assert transform(images.jpeg(exif=block)).facts.size == (200, 300)


# ThumbHash. The expected hashes were made with the independent package thumbhash-python 1.0.1.

LANDSCAPE = (8, 4, bytes(255 if i % 4 == 3 else (7 * i * i + 13 * i) % 256 for i in range(8 * 4 * 4)))
SEE_THROUGH = (3, 5, bytes((11 * i * i + 3 * i) % 256 for i in range(3 * 5 * 4)))


def test_a_thumbhash_has_the_bytes_that_others_compute():
    assert thumbhash(*LANDSCAPE).hex() == "9e18061488832c521775652d75f292dd4f99f2"
    assert thumbhash(*SEE_THROUGH).hex() == "17c8851308275163fb68223047587bf83fc8948a449936"


def test_a_picture_too_large_for_a_thumbhash_is_refused():
    with pytest.raises(ValueError, match="100×100"):
        thumbhash(101, 1, bytes(404))


def mean_colour(placeholder: str | None) -> tuple[float, float, float]:
    """What a page paints first, from the header of the hash."""
    header = int.from_bytes(base64.b64decode(placeholder or "")[:3], "little")
    light, warmth, tint = (header & 63) / 63, (header >> 6 & 63) / 31.5 - 1, (header >> 12 & 63) / 31.5 - 1
    blue = light - 2 / 3 * warmth
    red = (3 * light - blue + tint) / 2
    return red, red - tint, blue


@pytest.mark.parametrize("colour", ((255, 0, 0), (0, 200, 80), (255, 255, 255), (0, 0, 0)))
def test_the_placeholder_has_the_colour_of_the_picture(colour: tuple[int, int, int]):
    result = transform(images.png(Image.new("RGB", (300, 200), colour)))

    assert mean_colour(result.facts.placeholder) == pytest.approx([value / 255 for value in colour], abs=0.05)


def test_the_placeholder_is_upright_whatever_is_made_of_the_image():
    tall = images.jpeg(exif=images.exif(orientation=6))
    only_large = ImageOptions(outputs=(("compressed", OutputOptions()),))

    for options in (ImageOptions(), only_large, ImageOptions(outputs=())):
        placeholder = base64.b64decode(transform(tall, options).facts.placeholder or "")
        assert not placeholder[4] & 0x80


def text_block(tag: int, kind: int, text: bytes) -> bytes:
    """A TIFF block with one text."""
    return struct.pack(">4sIHHHII", b"MM\x00*", 8, 1, tag, kind, len(text), 26) + bytes(4) + text + bytes(2)


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        (2, b"Ada Example\0", b"Ada Example"),
        (129, "Ada Übung\0".encode(), "Ada Übung".encode()),
        (2, b"Ada\0Editor Ltd\0", b"Ada\0Editor Ltd"),
        (2, b" \0Editor Ltd\0", b" \0Editor Ltd"),
        (2, b" \0\0\0\0", None),
        (2, b"x" * 29_999 + b"\0", b"x" * 29_999),
        (2, b"x" * 70_000, None),
    ],
)
def test_a_copyright_is_kept_as_it_stands(kind, text, kept):
    found = read_exif(text_block(0x8298, kind, text))

    assert found.rights == (((0x8298, kept),) if kept else ())
    again = read_exif(found.fresh_block(orientation=1))
    assert again.rights == found.rights


def test_of_a_tag_that_comes_twice_the_first_counts():
    one, other = (text_block(0x013B, 2, text) for text in (b"first\0", b"other\0"))
    both = struct.pack(">4sIH", b"MM\x00*", 8, 2) + one[10:18] + struct.pack(">I", 38) + other[10:18]
    both += struct.pack(">I", 44) + bytes(4) + b"first\0" + b"other\0"

    assert read_exif(both).rights == ((0x013B, b"first"),)


def test_a_tiff_with_rights_that_fit_no_jpeg_is_made_without_them():
    data = formats.tiff(images.photo((64, 64)), exif=images.exif(rights=True))
    long = BytesIO()
    images.photo((64, 64)).save(long, "TIFF", tiffinfo={0x8298: "c" * 70_000})

    assert [output.format for output in transform(long.getvalue()).outputs][1] == "JPEG"
    assert images.COPYRIGHT.encode() in transform(data).outputs[1].data
