"""What may take the place of an original: the same picture with all that belongs to it, or nothing."""

from __future__ import annotations

import random
import re
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from bulk.compress.mpo import index_of, starts_of
from pipeline.errors import Code, RejectError, SkipError
from pipeline.images import encode
from pipeline.images.jpeg_parts import segments
from tests.colour_profiles import cmyk_profile, display_p3
from tests.images import SECRETS, exif, jpeg, photo, png, truncated, xmp
from tests.unit.compressing import DETAILED, compressed, distance, opened, saved


def test_a_jpeg_comes_out_smaller_and_looks_the_same():
    data = jpeg(DETAILED, quality=95)

    after = compressed(data)

    assert len(after) < 0.5 * len(data)
    assert opened(after).size == (640, 480) and distance(opened(after), DETAILED) < 16


def test_lower_quality_saves_more():
    data = jpeg(DETAILED, quality=95)

    sizes = [len(compressed(data, quality=quality)) for quality in (0, 30, 75, 80)]

    assert sizes == sorted(sizes) and len(set(sizes)) == 4


def test_all_metadata_of_a_jpeg_stay_and_so_does_what_follows_it():
    block = exif(orientation=6, private=True, rights=True, taken="2024:05:01 10:00:00")
    data = jpeg(DETAILED, quality=95, private=True, exif=block, icc_profile=display_p3())

    after = compressed(data)

    assert [name for name, secret in SECRETS.items() if secret in data and secret not in after] == []
    before, image = opened(data), opened(after)
    assert image.getexif() == before.getexif() and image.getexif()[0x0112] == 6 and image.size == (640, 480)
    for name in ("icc_profile", "xmp", "comment", "photoshop", "dpi", "exif"):
        assert image.info.get(name) == before.info.get(name)
    assert after.endswith(SECRETS["trailer"])


def test_stripping_leaves_orientation_and_copyright_only():
    data = jpeg(DETAILED, quality=95, exif=exif(orientation=6, private=True, rights=True), xmp=xmp())

    after = compressed(data, strip_metadata=True)

    assert not any(secret in after for secret in SECRETS.values())
    assert set(opened(after).getexif()) == {0x0112, 0x013B, 0x8298}


def test_stripping_leaves_a_file_alone_in_which_more_follows_the_picture():
    video = jpeg(DETAILED, quality=95) + b"ftypmp42" * 100

    with pytest.raises(SkipError, match="800 bytes follow"):
        compressed(video, strip_metadata=True)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_colours_stay_as_finely_sampled_and_a_progressive_jpeg_progressive(subsampling, progressive):
    from PIL.JpegImagePlugin import get_sampling

    data = jpeg(DETAILED, quality=97, subsampling=subsampling, progressive=progressive)

    image = opened(compressed(data))

    assert get_sampling(image) == subsampling and bool(image.info.get("progressive")) == progressive


def test_a_jpeg_that_is_too_large_to_be_decoded_strictly_in_full_comes_out_the_same(monkeypatch):
    data = jpeg(DETAILED, quality=95)
    at_once = compressed(data)
    monkeypatch.setattr("bulk.compress.jpeg._PIXELS_AT_ONCE", 1000)

    assert compressed(data) == at_once
    with pytest.raises(RejectError):
        compressed(truncated(data))


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_gray_and_cmyk_keep_their_mode_and_colours(mode):
    profile = cmyk_profile() if mode == "CMYK" else None
    data = jpeg(DETAILED.convert(mode), quality=97, icc_profile=profile)

    image = opened(compressed(data))

    assert image.mode == mode and image.info.get("icc_profile") == profile
    assert distance(image, opened(data)) < 12


@pytest.mark.parametrize("says", [True, False])
def test_whether_four_colours_came_with_adobes_word_or_without_it_stays(says):
    """Some programs take the word for: stored inverted; Pillow inverts all, and so sees no difference."""
    whole = jpeg(DETAILED.convert("CMYK"), quality=97)
    data = whole if says else without_adobe(whole)

    after = compressed(data)

    assert (b"Adobe\x00" in data, b"Adobe\x00" in after) == (says, says)
    assert distance(opened(after), opened(data)) < 12


def without_adobe(data):
    parts = [data[start:end] for marker, start, end in segments(data) if marker != 0xEE]
    return data[:2] + b"".join(parts) + data[max(end for _, _, end in segments(data)) :]


def test_an_original_that_would_hardly_shrink_stays():
    data = jpeg(DETAILED, quality=80)

    with pytest.raises(SkipError, match=r"less than 3 %"):
        compressed(compressed(jpeg(DETAILED, quality=95)))
    with pytest.raises(SkipError, match=r"less than 90 %"):
        compressed(data, min_savings=90)


@pytest.mark.parametrize("strip", [False, True])
def test_compressing_twice_changes_nothing(strip):
    once = compressed(jpeg(DETAILED, quality=95, exif=exif(orientation=3)), strip_metadata=strip)

    with pytest.raises(SkipError, match="would save"):
        compressed(once, strip_metadata=strip)


def mpo(*pictures: Image.Image, **parameters: object) -> bytes:
    return saved(pictures[0], "MPO", quality=95, save_all=True, append_images=list(pictures[1:]), **parameters)


def test_an_mpo_keeps_all_its_pictures():
    left, right = DETAILED, DETAILED.transpose(Image.Transpose.ROTATE_180)
    data = mpo(left, right, DETAILED.resize((160, 120)))

    after = compressed(data)

    image: Any = Image.open(BytesIO(after))
    assert (image.format, image.n_frames) == ("MPO", 3) and len(after) < 0.5 * len(data)
    for number, picture in enumerate((left, right)):
        image.seek(number)
        assert distance(image.convert("RGB"), picture) < 16
    image.seek(2)
    assert image.size == (160, 120)


def test_an_index_may_name_a_hundred_pictures_and_no_more():
    picture = DETAILED.resize((16, 16))

    assert len(starts_of(mpo(*[picture] * 100))) == 100
    with pytest.raises(RejectError, match="more than 100 pictures"):
        compressed(mpo(*[picture] * 101))


@pytest.mark.parametrize("read", [index_of, starts_of])
def test_an_index_that_names_a_picture_twice_is_refused_before_any_is_looked_at(read):
    data = bytearray(mpo(DETAILED, DETAILED))
    second = index_of(bytes(data)).entries + 16
    data[second + 8 : second + 12] = bytes(4)
    cut = bytes(data[: len(data) // 4])

    with pytest.raises(RejectError, match="the index of its pictures is broken"):
        read(cut)


def red_after_the_first(write):
    """An encoder that is broken from its second picture on."""
    written = []

    def write_red(image, *arguments):
        written.append(image)
        return write(image if len(written) == 1 else Image.new(image.mode, image.size, "red"), *arguments)

    return write_red


def test_an_mpo_of_which_a_further_picture_came_out_as_another_stays(monkeypatch):
    data = mpo(DETAILED, DETAILED.transpose(Image.Transpose.ROTATE_180))
    monkeypatch.setattr(encode, "write", red_after_the_first(encode.write))

    with pytest.raises(SkipError, match="thrown away"):
        compressed(data)


def test_an_mpo_whose_lengths_are_said_elsewhere_keeps_its_further_pictures_byte_for_byte():
    data = mpo(DETAILED, DETAILED.resize((160, 120)), xmp=b'<Container Item:Length="5"/>')
    second = data[data.rindex(b"\xff\xd8\xff") :]

    after = compressed(data)

    image: Any = Image.open(BytesIO(after))
    assert after.endswith(second) and image.n_frames == 2


@pytest.mark.parametrize("options", [{"strip_metadata": True}, {"formats": ("JPEG", "PNG")}])
def test_an_mpo_is_left_alone_where_it_could_not_be_kept_together(options):
    with pytest.raises((SkipError, RejectError)):
        compressed(mpo(DETAILED, DETAILED), **options)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.INVALID_CONTENT),
        (b"%PDF-1.7", Code.INVALID_EXTENSION),
        (saved(photo(), "BMP"), Code.INVALID_EXTENSION),
        (saved(photo(), "TIFF"), Code.INVALID_EXTENSION),
        (saved(photo(), "GIF"), Code.INVALID_EXTENSION),
        (saved(photo(), "WEBP"), Code.INVALID_EXTENSION),
        (truncated(jpeg()), Code.TRUNCATED_IMAGE),
        (truncated(png()), Code.TRUNCATED_IMAGE),
        (jpeg()[:20] + b"\xff\xd9", Code.CORRUPT_FILE),
    ],
)
def test_what_is_no_good_image_is_refused_with_the_code_of_the_older_system(data, code):
    with pytest.raises(RejectError) as refused:
        compressed(data)

    assert refused.value.code is code


def test_more_pixels_than_allowed_are_refused_before_they_are_decoded():
    with pytest.raises(RejectError, match=re.escape("307,200 pixels")) as refused:
        compressed(jpeg(DETAILED), max_pixels=307_199)

    assert refused.value.code is Code.TOO_LARGE


def damaged_jpegs():
    """Bit flips, overwritten scans, cut ends with and without an end marker, and tails of zeros: 100 files."""
    data = jpeg(DETAILED, quality=95)
    start = data.index(b"\xff\xda") + 14
    rng = random.Random(7)
    for number in range(100):
        spot = rng.randrange(start, len(data) - 2000)
        kind = number % 5
        if kind == 0:
            yield (
                "a marker within the scan",
                data[:spot] + b"\xff" + bytes((rng.choice((0xC4, 0xDB, 0xD3)),)) + data[spot:],
            )
        elif kind == 1:
            yield "an overwritten scan", data[:spot] + b"\x55" * 1500 + data[spot + 1500 :]
        elif kind == 2:
            yield "a cut end", data[:spot]
        elif kind == 3:
            yield "a cut end with its marker", data[:spot] + b"\xff\xd9"
        else:
            yield "a tail of zeros", data[:spot] + b"\0" * (len(data) - spot - 2) + b"\xff\xd9"


def test_no_damaged_jpeg_is_ever_replaced():
    passed = []
    for number, (kind, data) in enumerate(damaged_jpegs()):
        try:
            compressed(data, min_savings=0)
        except RejectError as refused:
            assert refused.code in (Code.CORRUPT_FILE, Code.TRUNCATED_IMAGE), (number, kind)
        else:
            passed.append((number, kind))

    assert passed == []
