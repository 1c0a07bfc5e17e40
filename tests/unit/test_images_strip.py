"""Files of every format with pixels untouched and without what is private."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from pipeline.errors import Code, RejectError
from pipeline.images.decode import examine
from pipeline.images.options import Limits
from pipeline.images.transform import transform
from tests import bombs, colour_profiles, formats, images

#: Formats that may leave stripped; the others are always written anew.
KEPT = ("JPEG", "PNG", "GIF", "WebP", "lossless WebP", "AVIF")
WITH_RIGHTS = ("JPEG", "PNG", "WebP", "lossless WebP", "AVIF")


def private(name: str, **tags: object) -> bytes:
    maker, _ = formats.MAKERS[name]
    exif = images.exif(private=True, **tags)  # type: ignore[arg-type]
    return maker(private=True, **({"exif": exif} if name in formats.WITH_EXIF else {}))


def stripped(data: bytes) -> bytes:
    return examine(data, Limits()).stripped()


def pixels(data: bytes) -> list[bytes]:
    return formats.frames_of(data)


def exif_tags(data: bytes) -> dict[int, object]:
    with Image.open(BytesIO(data)) as image:
        return dict(image.getexif())


def secrets_in(data: bytes) -> set[str]:
    return {name for name, secret in images.SECRETS.items() if secret in data}


@pytest.mark.parametrize("name", formats.MAKERS)
def test_the_makers_of_private_files_do_hide_their_secrets(name: str):
    assert secrets_in(private(name)) == formats.HIDDEN[name]


@pytest.mark.parametrize("name", KEPT)
def test_stripping_leaves_pixels_and_no_secret(name: str):
    data = private(name, rights=True)

    result = stripped(data)

    assert pixels(result) == pixels(data)
    assert secrets_in(result) == set()
    assert len(result) <= len(data)


@pytest.mark.parametrize("name", formats.MAKERS)
def test_what_the_decoder_gets_has_no_secret(name: str):
    bare = examine(private(name), Limits()).parts.bare()

    assert name in ("TIFF", "BMP") or secrets_in(bare) == set()


@pytest.mark.parametrize("name", WITH_RIGHTS)
def test_stripping_keeps_the_rights(name: str):
    tags = exif_tags(stripped(private(name, rights=True, model="X100")))

    assert (tags[0x013B], tags[0x8298]) == (images.ARTIST, images.COPYRIGHT)
    assert set(tags) == {0x013B, 0x8298}


@pytest.mark.parametrize("name", WITH_RIGHTS)
def test_stripping_keeps_the_orientation(name: str):
    data = private(name, orientation=6)

    result = stripped(data)

    assert exif_tags(result)[0x0112] == exif_tags(data)[0x0112] == 6


@pytest.mark.parametrize("name", KEPT)
def test_stripping_twice_changes_nothing_more(name: str):
    once = stripped(private(name, rights=True, orientation=3))

    assert stripped(once) == once


@pytest.mark.parametrize("name", ("JPEG", "PNG", "WebP", "lossless WebP"))
def test_a_file_without_metadata_is_stripped_to_itself(name: str):
    maker, modes = formats.MAKERS[name]
    for mode in modes:
        data = maker(images.photo(mode=mode))
        assert stripped(data) == data


@pytest.mark.parametrize("name", ("WebP", "lossless WebP", "AVIF"))
def test_a_profile_that_is_not_srgb_stays_in_the_compressed_file(name: str):
    maker, _ = formats.MAKERS[name]
    data = maker(icc_profile=colour_profiles.display_p3())

    for result in (stripped(data), transform(data).outputs[1].data):
        assert Image.open(BytesIO(result)).info["icc_profile"] == colour_profiles.display_p3()


@pytest.mark.parametrize("name", ("WebP", "lossless WebP"))
def test_an_srgb_profile_is_stripped(name: str):
    maker, _ = formats.MAKERS[name]

    assert "icc_profile" not in Image.open(BytesIO(stripped(maker(icc_profile=colour_profiles.srgb_profile())))).info


def test_of_a_gif_only_what_repeats_it_is_kept_of_all_that_programs_put_in():
    data = formats.gif(formats.moving()[0], **formats.animated(), private=True)

    result = stripped(data)

    assert result.count(b"!\xff\x0b") == 1
    assert Image.open(BytesIO(result)).info["loop"] == 3


def test_bytes_hidden_in_a_frame_of_a_webp_do_not_leave():
    plain = formats.webp(formats.moving()[0])[12:]
    inner = plain + formats.riff_chunk(b"hide", images.SECRETS["comment"])
    data = bombs.webp_of_frames([inner, plain], (120, 80))

    result = stripped(data)

    assert images.SECRETS["comment"] in data
    assert secrets_in(result) == set()
    assert pixels(result) == pixels(data)


def test_frames_of_a_png_that_does_not_say_that_it_moves_do_not_leave():
    hidden = images.png_chunk(b"fdAT", b"\0\0\0\1" + images.SECRETS["comment"])
    late = images.png_chunk(b"acTL", struct.pack(">II", 2, 0))
    data = images.png()
    for files in (data[:33] + hidden + data[33:], data[:-12] + late + hidden + data[-12:]):
        result = transform(files)

        assert result.facts.frames == 1
        assert [output.data for output in result.outputs if images.SECRETS["comment"] in output.data] == []


def test_bytes_between_the_items_of_an_avif_do_not_leave():
    data = formats.avif()
    filled = data + formats.iso_box(b"mdat", images.SECRETS["comment"])

    result = stripped(filled)

    assert secrets_in(result) == set()
    assert pixels(result) == pixels(data)


def test_when_an_avif_that_moves_was_made_does_not_leave():
    data = formats.avif(formats.moving()[0], **formats.animated())
    compressed = transform(data).outputs[1].data
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        head = data.index(kind) + 4
        length = 16 if data[head] else 8
        assert any(data[head + 4 : head + 4 + length])
        assert not any(compressed[head + 4 : head + 4 + length])


def test_the_names_of_items_do_not_leave():
    data = formats.avif()
    renamed = data.replace(b"Color\x00", b"Maria\x00")

    assert b"Maria" in renamed
    assert b"Maria" not in stripped(renamed)


@pytest.mark.parametrize("share", (0.1, 0.5, 0.9, 0.999))
@pytest.mark.parametrize("name", formats.MAKERS)
def test_a_file_that_ends_early_says_so(name: str, share: float):
    maker, _ = formats.MAKERS[name]

    with pytest.raises(RejectError) as caught:
        transform(images.truncated(maker(), share))

    assert caught.value.code == Code.TRUNCATED_IMAGE
