"""PNGs that may take the place of an original: without loss, or in few colours where these do it justice."""

from __future__ import annotations

import random
import zlib

import pytest

from bulk.compress.png import by_oxipng, by_pillow
from pipeline.errors import SkipError
from pipeline.images.decode import examine, load
from pipeline.images.options import Limits
from tests.bombs import png_with_a_frame_of_no_animation
from tests.images import SECRETS, apng, noise, photo, png, png_chunk, raw_png
from tests.unit.compressing import compressed, distance, opened


def test_a_png_stays_lossless_with_all_its_chunks():
    data = png(photo((300, 200)), private=True)

    after = compressed(data)

    assert len(after) < len(data) and distance(opened(after), opened(data)) == 0
    assert [name for name, secret in SECRETS.items() if secret in data and secret not in after] == []


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
def test_a_png_of_any_mode_keeps_its_pixels(mode):
    data = png(photo((300, 200), mode))

    after = compressed(data, min_savings=0)

    before, image = opened(data), opened(after)
    if mode == "I;16":
        assert image.mode in ("I;16", "L")
    else:
        assert distance(image.convert("RGBA").convert("RGBa"), before.convert("RGBA").convert("RGBa")) == 0


@pytest.mark.parametrize(("depth", "colour_type", "key"), [(2, 0, 1), (4, 0, 5), (16, 2, 0x1234)])
def test_a_png_whose_key_is_of_other_samples_than_eight_bits_is_compressed_too(depth, colour_type, key):
    samples = 3 if colour_type == 2 else 1
    first = random.Random(1).randbytes(256 * samples * depth // 8)
    rows = [bytes((byte + number) & 255 for byte in first) for number in range(256)]
    seen_through = png_chunk(b"tRNS", key.to_bytes(2, "big") * samples)
    data = raw_png((256, 256), depth, colour_type, rows, before=seen_through)

    assert len(compressed(data)) < len(data)


def test_a_png_with_sixteen_bits_a_sample_loses_none_of_them():
    rows = [bytes(random.Random(row).randbytes(2 * 3 * 64)) for row in range(64)]
    data = raw_png((64, 64), 16, 2, rows)

    try:
        after = compressed(data, min_savings=0, png_colors=256)
    except SkipError:
        after = data

    assert after[24:26] == data[24:26]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "1", "I;16"])
def test_without_oxipng_pillow_packs_a_png_anew_without_a_loss_or_leaves_it(mode):
    data = png(photo((300, 200), mode), private=True)
    source = examine(data, Limits())
    load(source)

    try:
        after = by_pillow(data, source)
    except SkipError:
        assert mode == "I;16"
        return

    assert distance(opened(after).convert("RGBA"), opened(data).convert("RGBA")) == 0
    assert SECRETS["comment"] in after and SECRETS["xmp"] in after


class PanicException(BaseException):
    """What pyo3 raises for a panic of Rust code goes by this name."""


@pytest.mark.parametrize("failure", [PanicException, ValueError])
def test_a_png_that_oxipng_fails_on_is_left_as_it_is_and_the_reason_told(failure):
    def fail(*arguments: object, **options: object) -> bytes:
        raise failure("of a manifest")

    data = png(photo())

    with pytest.raises(SkipError, match="oxipng gave up: of a manifest"):
        by_oxipng(data, examine(data, Limits()), fail)


def test_few_colours_save_much_and_keep_metadata_where_the_picture_allows_it():
    data = png(photo((300, 200)), private=True)

    after = compressed(data, png_colors=256)

    image = opened(after)
    assert image.mode == "P" and len(after) < len(compressed(data))
    assert distance(image.convert("RGB"), photo((300, 200))) < 5
    assert SECRETS["comment"] in after and SECRETS["xmp"] in after and after.endswith(SECRETS["trailer"])


def test_few_colours_keep_what_is_seen_through():
    image = photo((300, 200), "RGBA")

    after = opened(compressed(png(image), png_colors=256, min_savings=0))

    assert distance(after.convert("RGBA").convert("RGBa"), image.convert("RGBa")) < 5


def test_a_picture_that_needs_its_colours_keeps_them():
    data = png(noise((300, 200), sigma=90))

    try:
        after = compressed(data, png_colors=8, min_savings=0)
    except SkipError:
        return

    assert distance(opened(after).convert("RGB"), opened(data)) == 0


def test_what_moves_is_left_alone():
    with pytest.raises(SkipError, match="animated"):
        compressed(apng())


def test_a_png_with_frames_that_does_not_say_that_it_moves_is_left_alone():
    whole = zlib.compress(bytes(64 * (1 + 3 * 64)))
    with pytest.raises(SkipError, match="does not say that it is one"):
        compressed(png_with_a_frame_of_no_animation(64, 64, whole))
