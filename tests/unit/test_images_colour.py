from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageOps

from pipeline.errors import Code, RejectError
from pipeline.images.colour import useful_profile
from pipeline.images.transform import Transformed, transform
from tests import colour_profiles, formats, images, reference

PROFILES = {
    "Display P3": (colour_profiles.display_p3(), "RGB"),
    "Adobe RGB": (colour_profiles.adobe_rgb(), "RGB"),
    "gray": (colour_profiles.gray_profile(), "L"),
    "CMYK": (colour_profiles.cmyk_profile(), "CMYK"),
}


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def thumbnail_pixel(result: Transformed, place: tuple[int, int]) -> tuple[int, ...]:
    pixel = opened(result.outputs[0].data).convert("RGBA").getpixel(place)
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize("name", PROFILES)
def test_colours_of_a_profile_come_out_as_srgb(name: str):
    profile, mode = PROFILES[name]
    data = images.jpeg(images.photo(mode=mode), icc_profile=profile)
    expected = reference.shown(data)

    thumbnail, compressed = transform(data).outputs

    assert "icc_profile" not in opened(thumbnail.data).info
    assert reference.distance(reference.shown(thumbnail.data), reference.scaled(expected, thumbnail.size)) < 4
    assert reference.distance(reference.shown(compressed.data), expected) < 4


@pytest.mark.parametrize("name", ("Display P3", "Adobe RGB", "gray"))
def test_a_compressed_jpeg_keeps_a_profile_that_is_not_srgb(name: str):
    profile, mode = PROFILES[name]

    compressed = transform(images.jpeg(images.photo(mode=mode), icc_profile=profile)).outputs[1]

    assert opened(compressed.data).info["icc_profile"] == profile


def test_a_compressed_cmyk_jpeg_becomes_srgb_without_its_profile():
    data = images.jpeg(images.photo(mode="CMYK"), icc_profile=colour_profiles.cmyk_profile())

    compressed = opened(transform(data).outputs[1].data)

    assert compressed.mode == "RGB"
    assert "icc_profile" not in compressed.info


@pytest.mark.parametrize("write", (images.jpeg, images.png))
def test_an_srgb_profile_is_dropped(write):
    data = write(images.photo(), icc_profile=colour_profiles.srgb_profile())

    for output in transform(data).outputs:
        assert "icc_profile" not in opened(output.data).info


@pytest.mark.parametrize("name", ("Display P3", "gray"))
def test_a_compressed_png_keeps_its_profile_under_a_name_that_says_nothing(name: str):
    profile, mode = PROFILES[name]
    data = images.png(images.photo(mode=mode), icc_profile=profile)

    thumbnail, compressed = transform(data).outputs

    assert opened(compressed.data).info["icc_profile"] == profile
    assert b"ICC Profile" not in compressed.data
    assert (
        reference.distance(reference.shown(thumbnail.data), reference.scaled(reference.shown(data), thumbnail.size)) < 4
    )


def test_a_gray_looking_png_with_a_colour_profile_stays_in_colour():
    data = images.png(images.photo(mode="L").convert("RGB"), icc_profile=colour_profiles.display_p3())

    compressed = opened(transform(data).outputs[1].data)

    assert compressed.mode in ("RGB", "P")


@pytest.mark.parametrize(
    "profile",
    (
        b"",
        b"no profile",
        colour_profiles.display_p3()[:200],
        colour_profiles.display_p3().replace(b"RGB ", b"\xff\xfe\xfd\xfc"),
        colour_profiles.gray_profile(),
        colour_profiles.cmyk_profile(),
    ),
    ids=("empty", "nonsense", "cut", "of no space", "gray", "CMYK"),
)
def test_a_profile_that_does_not_fit_the_image_is_passed_over(profile: bytes):
    plain = transform(images.jpeg())
    odd = transform(images.jpeg(icc_profile=profile))

    assert [output.data for output in odd.outputs] == [output.data for output in plain.outputs]


def test_what_is_srgb_is_told_by_colours_and_not_by_name():
    named_srgb = colour_profiles.display_p3().replace(b"none", b"sRGB")

    assert useful_profile(named_srgb, "RGB") == named_srgb
    assert useful_profile(colour_profiles.srgb_profile(), "RGB") is None


def test_ycck_is_read_as_the_adobe_marker_says():
    data = images.jpeg(images.photo(mode="CMYK"))
    adobe = data.index(b"Adobe")
    data = data[: adobe + 11] + b"\x02" + data[adobe + 12 :]

    thumbnail = transform(data).outputs[0]

    expected = reference.scaled(reference.shown(data), thumbnail.size)
    assert reference.distance(reference.shown(thumbnail.data), expected) < 4


def test_sixteen_bit_gray_is_scaled_and_not_clipped():
    rows = [b"\x80\x07" * 256] * 64

    result = transform(images.raw_png((256, 64), 16, 0, rows))

    assert thumbnail_pixel(result, (200, 32))[:3] == pytest.approx((128,) * 3, abs=2)


TRANSPARENT_KEYS = {
    "gray, 1 bit": (1, 0, b"\x00" * 4, b"\xff" * 4, b"\x00\x01"),
    "gray, 2 bits": (2, 0, b"\x55" * 8, b"\xaa" * 8, b"\x00\x02"),
    "gray, 4 bits": (4, 0, b"\x33" * 16, b"\xcc" * 16, b"\x00\x0c"),
    "gray, 8 bits": (8, 0, b"\x20" * 32, b"\xc0" * 32, b"\x00\xc0"),
    "gray, 16 bits": (16, 0, b"\x20\x21" * 32, b"\xc0\xc1" * 32, b"\xc0\xc1"),
    "colour, 8 bits": (8, 2, b"\x20\x30\x40" * 32, b"\xc0\xd0\xe0" * 32, b"\x00\xc0\x00\xd0\x00\xe0"),
    "colour, 16 bits": (16, 2, b"\x20\x30\x40\x50\x60\x70" * 32, b"\xc0\xc1" * 96, b"\xc0\xc1" * 3),
}


@pytest.mark.parametrize("name", TRANSPARENT_KEYS)
def test_one_colour_named_as_transparent_is_transparent_in_the_thumbnail(name: str):
    depth, kind, opaque, clear, key = TRANSPARENT_KEYS[name]
    rows = [opaque] * 16 + [clear] * 16
    result = transform(images.raw_png((32, 32), depth, kind, rows, before=images.png_chunk(b"tRNS", key)))

    assert thumbnail_pixel(result, (16, 4))[3] == 255
    assert thumbnail_pixel(result, (16, 28))[3] == 0


@pytest.mark.parametrize("transparency", (3, bytes(range(0, 256, 4))), ids=("one entry", "an alpha for each"))
def test_a_palette_with_transparency_keeps_it_in_the_thumbnail(transparency: int | bytes):
    data = images.png(images.photo(mode="P"), transparency=transparency)

    thumbnail = transform(data).outputs[0]

    expected = reference.scaled(reference.shown(data), thumbnail.size)
    assert reference.distance(reference.shown(thumbnail.data), expected) < 4


def test_colours_do_not_bleed_out_of_transparent_pixels():
    image = Image.new("RGBA", (1024, 1024), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 512, 1024))

    red, _, blue, alpha = thumbnail_pixel(transform(images.png(image)), (127, 128))

    assert alpha > 200
    assert red < 12
    assert blue > 243


@pytest.mark.parametrize("profile", ("Display P3", "Adobe RGB"))
@pytest.mark.parametrize("name", ("WebP", "lossless WebP", "AVIF", "HEIC", "TIFF"))
def test_every_format_with_a_profile_comes_out_as_srgb(name: str, profile: str):
    maker, _ = formats.MAKERS[name]
    data = maker(icc_profile=PROFILES[profile][0])
    expected = reference.shown(data)

    thumbnail, compressed = transform(data).outputs

    assert "icc_profile" not in opened(thumbnail.data).info
    assert reference.distance(reference.shown(thumbnail.data), reference.scaled(expected, thumbnail.size)) < 4
    assert reference.distance(reference.shown(compressed.data), expected) < 4


def test_a_cmyk_tiff_is_read_by_its_profile():
    data = formats.tiff(images.photo(mode="CMYK"), icc_profile=colour_profiles.cmyk_profile())

    compressed = opened(transform(data).outputs[1].data)

    assert (compressed.format, compressed.mode) == ("JPEG", "RGB")
    assert reference.distance(compressed, reference.shown(data)) < 4


def lab_of(image: Image.Image) -> Image.Image:
    lab = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    return lab


def big_endian(image: Image.Image) -> Image.Image:
    swapped = images.in_mode(image, "I;16").tobytes("raw", "I;16B")
    return Image.frombytes("I;16B", image.size, swapped)


#: A picture in a mode of TIFF only, and what is to be seen of it.
RARE = {
    "Lab": (lab_of, lambda image: image),
    "YCbCr": (lambda image: image.convert("YCbCr"), lambda image: image),
    "16 bits, the other way round": (big_endian, lambda image: image.convert("L")),
    "fractions": (lambda image: image.convert("F").point(lambda value: value / 255), lambda image: image.convert("L")),
    "32 bits": (lambda image: spread(image).convert("I").point(lambda value: value * 9000 - 7), lambda i: spread(i)),
}


def spread(image: Image.Image) -> Image.Image:
    return ImageOps.autocontrast(image.convert("L"))


@pytest.mark.parametrize("name", RARE)
def test_modes_that_only_tiff_has_are_shown_as_they_should(name: str):
    made, seen = RARE[name]
    source = images.photo()

    thumbnail, compressed = transform(formats.tiff(made(source))).outputs

    assert reference.distance(reference.shown(compressed.data), seen(source)) < 4
    assert reference.distance(reference.shown(thumbnail.data), reference.scaled(seen(source), thumbnail.size)) < 4


def test_fractions_that_are_no_numbers_are_corrupt():
    with pytest.raises(RejectError) as caught:
        transform(formats.tiff(Image.new("F", (8, 8), float("nan"))))

    assert caught.value.code == Code.CORRUPT_FILE


@pytest.mark.parametrize("name", ("HEIC", "TIFF"))
def test_an_opaque_alpha_channel_becomes_a_jpeg(name: str):
    maker, _ = formats.MAKERS[name]

    assert transform(maker(images.photo().convert("RGBA"))).outputs[1].format == "JPEG"


def test_a_gray_profile_is_applied_where_a_webp_takes_the_place_of_gray_that_is_seen_through():
    image = Image.merge("LA", (Image.new("L", (40, 30), 60), Image.linear_gradient("L").resize((40, 30))))
    linear = colour_profiles.gray_profile(gamma=1.0)

    result = transform(formats.tiff(image, icc_profile=linear)).outputs[1].data

    shown = Image.open(BytesIO(result))
    assert (shown.format, shown.mode) == ("WEBP", "RGBA") and "icc_profile" not in shown.info
    red = shown.getchannel("R").crop((20, 29, 21, 30)).tobytes()
    assert abs(red[0] - 133) <= 2


@pytest.mark.parametrize(
    ("bits", "samples", "order"),
    # Pillow reads 12 bits in one order of bytes only.
    [(16, b"\x00\xf0", "<"), (16, b"\xf0\x00", ">"), (12, b"\xf0\xff\x00", "<")],
)
@pytest.mark.parametrize(("white_is_zero", "shown"), [(False, 240), (True, 15)])
def test_gray_of_more_than_eight_bits_is_as_bright_as_it_says(white_is_zero, shown, bits, samples, order):
    data = formats.gray_tiff((40, 30), bits, samples * (40 * 30 * bits // 8 // len(samples)), order, white_is_zero)

    result = transform(data)

    assert [abs(thumbnail_pixel(result, (5, 5))[0] - shown) <= 1] == [True]
    assert abs(opened(result.outputs[1].data).convert("L").tobytes()[0] - shown) <= 2


@pytest.mark.parametrize("interlaced", [0, 1])
def test_the_colour_that_is_seen_through_has_sixteen_bits_where_the_samples_have(interlaced):
    key, near = (0x1234, 0x5678, 0x00FF), (0x12FF, 0x5678, 0x00FF)
    row = struct.pack(">9H", *key, *near, *(0x1234, 0x5678, 0x0000))
    before = images.png_chunk(b"tRNS", struct.pack(">3H", *key))
    data = images.raw_png((3, 1), 16, 2, [row], before=before)
    if interlaced:
        data = images.raw_png((3, 1), 16, 2, [row[:6], row[12:], row[6:12]], before=before, interlaced=True)

    result = transform(data)

    thumbnail, compressed = (output.data for output in result.outputs)
    assert list(opened(thumbnail).convert("RGBA").getchannel("A").tobytes()) == [0, 255, 255]
    assert before in compressed


def test_exif_of_a_webp_that_has_no_room_for_it_turns_nothing():
    data = formats.webp(images.photo((80, 40)))
    assert data[12:16] == b"VP8 "
    data += formats.riff_chunk(b"EXIF", images.exif(orientation=6))
    data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]

    result = transform(data)

    shown = [opened(output.data).size for output in result.outputs]
    assert shown == [output.size for output in result.outputs] == [(80, 40), (80, 40)]
