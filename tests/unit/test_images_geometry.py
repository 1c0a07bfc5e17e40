from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from pipeline.images.geometry import cropped, fit_over, fit_within, shown_size, upright
from pipeline.images.options import ENCODERS_REVISION, ImageOptions, Limits, OutputOptions, Preset
from pipeline.images.transform import transform
from tests import formats, images

SIDES = st.one_of(st.integers(1, 40), st.integers(200, 700))
KINDS = [(name, mode) for name, (_, modes) in formats.MAKERS.items() for mode in modes if name != "HEIC"]
MODES = st.sampled_from(KINDS)


@settings(max_examples=60)
@given(width=SIDES, height=SIDES, kind=MODES, orientation=st.integers(1, 8))
@example(width=1, height=1, kind=("JPEG", "RGB"), orientation=1)
@example(width=1, height=1, kind=("PNG", "RGBA"), orientation=5)
@example(width=257, height=256, kind=("PNG", "RGBA"), orientation=6)
def test_any_size_gives_a_thumbnail_inside_its_box_and_a_whole_compressed_image(width, height, kind, orientation):
    name, mode = kind
    write, _ = formats.MAKERS[name]
    turned = name in formats.WITH_EXIF
    exif = {"exif": images.exif(orientation=orientation)} if turned else {}
    data = write(images.photo((width, height), mode), **exif)

    thumbnail, compressed = transform(data).outputs

    shown = shown_size((width, height), orientation if turned else 1)
    assert compressed.size == shown
    assert Image.open(BytesIO(thumbnail.data)).size == thumbnail.size
    assert max(thumbnail.size) == min(256, max(shown))
    assert all(side <= whole for side, whole in zip(thumbnail.size, shown, strict=True))
    assert len(compressed.data) <= len(data) or name in ("TIFF", "BMP")


@given(
    size=st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)),
    box=st.tuples(st.integers(1, 2_000), st.integers(1, 2_000)),
)
def test_fitting_keeps_proportions_fills_the_box_and_never_enlarges(size, box):
    width, height = fit_within(size, box)

    assert 1 <= width <= min(size[0], box[0])
    assert 1 <= height <= min(size[1], box[1])
    assert (width, height) == size or width == box[0] or height == box[1]
    assert abs(width - size[0] * height / size[1]) <= max(1, size[0] / size[1])


@pytest.mark.parametrize("mode", ("RGB", "RGBA", "L", "LA", "CMYK", "I;16"))
@pytest.mark.parametrize("size", ((1, 1), (63, 5), (64, 64), (65, 3), (5, 65), (200, 131)))
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_to_the_pixel(mode: str, size: tuple[int, int], orientation: int):
    noise = Image.merge("CMYK", [Image.effect_noise((size[0] * 2, size[1]), 99)] * 4).tobytes()
    image = Image.frombytes(mode, size, noise[: size[0] * size[1] * (2 if ";" in mode else len(mode))])
    image.getexif()[0x0112] = orientation

    turned = upright(image, orientation)

    wanted = ImageOps.exif_transpose(image)
    assert (turned.mode, turned.size, turned.tobytes()) == (wanted.mode, wanted.size, wanted.tobytes())


@pytest.mark.parametrize("size", ((20_000, 1), (1, 20_000)))
@pytest.mark.parametrize("write", (images.jpeg, images.png, formats.gif, formats.tiff, formats.bmp, formats.avif))
def test_the_most_extreme_proportions_are_no_trouble(write, size: tuple[int, int]):
    thumbnail = transform(write(Image.new("RGB", size, "teal"))).outputs[0]

    assert sorted(thumbnail.size) == [1, 256]


def test_a_thumbnail_is_as_large_as_a_picture_that_is_smaller_than_its_box():
    assert transform(images.jpeg(images.photo((200, 100)))).outputs[0].size == (200, 100)


def test_a_box_that_is_no_square_means_the_picture_as_shown():
    options = ImageOptions(outputs=(("wide", OutputOptions(fit=(100, 20), format="PNG")),))
    on_its_side = images.jpeg(exif=images.exif(orientation=6))

    (wide,) = transform(on_its_side, options).outputs

    assert wide.size == Image.open(BytesIO(wide.data)).size == (13, 20)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_an_image_of_any_depth_shrinks_to_a_small_part_of_its_size(mode):
    transformed = transform(images.png(images.photo((3000, 300), mode)))

    assert transformed.outputs[0].size == (256, 26)


@pytest.mark.parametrize(
    ("size", "box", "fitted"),
    [
        ((400, 200), (100, 100), (200, 100)),
        ((200, 400), (100, 100), (100, 200)),
        ((300, 300), (100, 50), (100, 100)),
        ((60, 400), (100, 100), (60, 400)),
        ((50, 30), (100, 100), (50, 30)),
    ],
)
def test_an_image_that_shall_cover_a_box_is_as_small_as_it_may_be_and_never_enlarged(size, box, fitted):
    assert fit_over(size, box) == fitted


def test_what_covers_a_box_is_cut_to_its_middle():
    image = Image.new("L", (5, 3))
    image.putpixel((2, 1), 255)

    middle = cropped(image, (1, 1))

    assert middle.size == (1, 1) and middle.getpixel((0, 0)) == 255
    assert cropped(image, (9, 2)).size == (5, 2)


def test_an_image_can_be_cut_to_exactly_its_size():
    options = ImageOptions(outputs=(("square", OutputOptions(fit=(50, 50), cover=True)),))

    [output] = transform(images.jpeg(images.photo((300, 200))), options).outputs

    with Image.open(BytesIO(output.data)) as image:
        assert output.size == image.size == (50, 50)


def test_another_preset_is_another_hash():
    hashes = {ImageOptions(outputs=(("a", OutputOptions(preset=preset)),)).hash() for preset in Preset}

    assert len(hashes) == 3


def test_options_that_cut_nothing_have_the_hash_that_they_had_before_one_could_cut():
    plain, cutting = (ImageOptions(outputs=(("a", OutputOptions(cover=cover)),)) for cover in (False, True))
    before = [
        ENCODERS_REVISION,
        {"limits": asdict(Limits()), "outputs": [["a", {"fit": None, "format": None, "quality": 80}]]},
    ]
    text = json.dumps(before, sort_keys=True, separators=(",", ":"))

    assert plain.hash() == hashlib.sha256(text.encode()).hexdigest()[:16] != cutting.hash()
