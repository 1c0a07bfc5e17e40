"""Damaged input of every kind ends in a code or in a valid result, in threads as well."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image, ImageFile

from pipeline.errors import RejectError
from pipeline.images.transform import Transformed, transform
from tests import colour_profiles, formats, images

FLIPS_EACH = 40


def small(mode: str) -> Image.Image:
    return images.photo((72, 48), mode)


BLOCK = images.exif(orientation=6, private=True, rights=True, taken="2024:05:01 10:20:30", model="X100")
VICTIMS = {
    "JPEG": images.jpeg(small("RGB"), private=True, exif=BLOCK, icc_profile=colour_profiles.display_p3()),
    "progressive JPEG": images.jpeg(small("RGB"), progressive=True, exif=BLOCK),
    "CMYK JPEG": images.jpeg(small("CMYK"), icc_profile=colour_profiles.cmyk_profile()),
    "gray JPEG": images.jpeg(small("L"), icc_profile=colour_profiles.gray_profile()),
    "PNG": images.png(small("RGB"), private=True, exif=BLOCK, icc_profile=colour_profiles.display_p3()),
    "palette PNG": images.png(small("P"), transparency=bytes(range(64))),
    "16-bit PNG": images.png(small("I;16")),
    "APNG": images.apng(),
    "GIF": formats.gif(small("P"), private=True, transparency=3),
    "moving GIF": formats.gif(formats.moving()[0], **formats.animated(), private=True),
    "WebP": formats.webp(small("RGBA"), private=True, exif=BLOCK, icc_profile=colour_profiles.display_p3()),
    "lossless WebP": formats.lossless_webp(small("RGB")),
    "moving WebP": formats.webp(formats.moving()[0], **formats.animated(), private=True),
    "AVIF": formats.avif(small("RGBA"), private=True, exif=BLOCK, icc_profile=colour_profiles.display_p3()),
    "moving AVIF": formats.avif(formats.moving()[0], **formats.animated()),
    "HEIC": formats.heic(small("RGB"), private=True, exif=BLOCK),
    "TIFF": formats.tiff(small("RGB"), private=True, exif=BLOCK),
    "packed TIFF": formats.tiff(small("RGBA"), compression="tiff_lzw"),
    "16-bit TIFF": formats.tiff(small("I;16")),
    "BMP": formats.bmp(small("P")),
}


def assert_typed(data: bytes):
    try:
        result = transform(data)
    except RejectError:
        return
    assert_valid(result)


def assert_valid(result: Transformed):
    for output in result.outputs:
        with Image.open(BytesIO(output.data)) as image:
            image.load()


@pytest.mark.parametrize("name", VICTIMS)
def test_every_truncation_is_typed(name: str):
    data = VICTIMS[name]
    for length in range(0, len(data), max(1, len(data) // 40)):
        assert_typed(data[:length])


@pytest.mark.parametrize("name", VICTIMS)
def test_flipped_bytes_are_typed(name: str):
    chance = random.Random(f"flips in {name}")
    # Each damaged CMYK profile means tables of its own, which take long to compute.
    for _ in range(FLIPS_EACH // 4 if name == "CMYK JPEG" else FLIPS_EACH):
        data = bytearray(VICTIMS[name])
        for _ in range(chance.choice((1, 1, 3, 20))):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        assert_typed(bytes(data))


@pytest.mark.parametrize("name", ("JPEG", "PNG"))
def test_flipped_bytes_in_the_metadata_never_cost_the_picture(name: str):
    chance = random.Random(f"metadata of {name}")
    start = VICTIMS[name].index(b"MM\x00*" if b"MM\x00*" in VICTIMS[name] else b"II*\x00")
    for _ in range(FLIPS_EACH):
        data = bytearray(VICTIMS[name])
        data[start + chance.randrange(150)] = chance.randrange(256)
        assert_valid(transform(bytes(data)))


MAGIC = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"RIFF\x40\x00\x00\x00WEBPVP8X",
    b"\x00\x00\x00\x10ftypavif\x00\x00\x00\x00",
    b"\x00\x00\x00\x10ftypheic\x00\x00\x00\x00",
    b"II*\x00",
    b"MM\x00*",
    b"BM" + bytes(12) + b"\x28\x00\x00\x00",
)


@pytest.mark.parametrize("piece", (b"", b"\xff" * 40, b"\xff\xd8\xff", bytes(64), b"\xff\xda\x00\x02"))
@pytest.mark.parametrize("magic", MAGIC)
def test_little_more_than_magic_is_typed(magic: bytes, piece: bytes):
    assert_typed(magic + piece)


def test_pillow_is_left_as_it_was_found():
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK)

    transform(VICTIMS["JPEG"])

    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK) == before


def test_threads_get_the_results_that_one_would():
    expected = {name: transform(data) for name, data in VICTIMS.items()}
    names = list(VICTIMS) * 4

    with ThreadPoolExecutor(max_workers=8) as pool:
        results = list(pool.map(lambda name: transform(VICTIMS[name]), names))

    assert results == [expected[name] for name in names]


def test_the_same_bytes_give_the_same_bytes():
    assert transform(VICTIMS["PNG"]) == transform(VICTIMS["PNG"])
