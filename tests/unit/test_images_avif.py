"""AVIF files: which of their properties count, and which of them are left as they are."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from pipeline.images import heif_parts
from pipeline.images.decode import examine
from pipeline.images.options import Limits
from pipeline.images.transform import Transformed, transform
from tests import colour_profiles, formats, images
from tests.avif_boxes import with_property


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def thumbnail_pixel(result: Transformed) -> object:
    return opened(result.outputs[0].data).convert("RGBA").getpixel((9, 9))


@pytest.mark.parametrize("depth", (10, 12))
def test_an_avif_of_more_than_8_bits_is_never_encoded_anew(depth: int):
    data = formats.avif(images.noise((64, 64)), quality=100)
    config = data.index(b"av1C") + 4
    flags = data[config + 2] | (0x40 if depth == 10 else 0x60)
    deeper = data[: config + 2] + bytes((flags,)) + data[config + 3 :]

    assert not heif_parts.take_apart(deeper).ordinary
    assert heif_parts.take_apart(data).ordinary


@pytest.mark.parametrize("subsampling", ("4:4:4", "4:2:2"))
def test_an_avif_with_all_of_its_colours_keeps_them(subsampling: str):
    data = formats.avif(images.noise((64, 64)), quality=100, subsampling=subsampling)

    compressed = transform(data).outputs[1].data

    assert (compressed == examine(data, Limits()).stripped()) == (subsampling == "4:4:4")


def test_of_an_avif_the_profile_of_the_picture_counts_and_no_other():
    image = Image.new("RGB", (64, 64), (200, 60, 40))
    own, foreign = colour_profiles.display_p3(), colour_profiles.adobe_rgb()
    for profile, kept in ((None, None), (own, own)):
        data = formats.avif(image, icc_profile=profile or b"")
        more = with_property(data, b"colr", b"prof" + foreign, of_primary=False)

        plain, result = transform(data), transform(more)

        assert thumbnail_pixel(result) == thumbnail_pixel(plain)
        assert opened(result.outputs[1].data).info.get("icc_profile") == kept


def test_a_profile_that_is_given_to_the_picture_of_an_avif_counts():
    image = Image.new("RGB", (64, 64), (200, 60, 40))
    given = with_property(formats.avif(image), b"colr", b"prof" + colour_profiles.adobe_rgb(), of_primary=True)
    written = formats.avif(image, icc_profile=colour_profiles.adobe_rgb())

    assert thumbnail_pixel(transform(given)) == thumbnail_pixel(transform(written))


def test_an_avif_that_is_to_be_cropped_is_not_written_without_its_crop():
    crop = struct.pack(">IIIIiIiI", 32, 1, 64, 1, -16, 1, 0, 1)
    data = with_property(formats.avif(images.noise((64, 64)), quality=100), b"clap", crop, of_primary=True)

    assert b"clap" in transform(data).outputs[1].data
