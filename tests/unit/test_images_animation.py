"""Animations keep their frames and their timing, and thumbnails stand still."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from pipeline.errors import Code, RejectError
from pipeline.images.decode import examine
from pipeline.images.options import ImageOptions, Limits
from pipeline.images.transform import transform
from tests import bombs, colour_profiles, formats, images, reference

MAKERS = {
    "GIF": lambda **more: formats.gif(formats.moving()[0], **formats.animated(), **more),
    "WebP": lambda **more: formats.webp(formats.moving()[0], **formats.animated(), **more),
    "lossless WebP": lambda **more: formats.lossless_webp(formats.moving()[0], **formats.animated(), **more),
    "APNG": formats.apng,
    "AVIF": lambda **more: formats.avif(formats.moving()[0], **formats.animated(), **more),
}


@pytest.mark.parametrize("private", (False, True), ids=("plain", "private"))
@pytest.mark.parametrize("name", MAKERS)
def test_an_animation_keeps_its_frames_their_times_and_its_repeats_and_nothing_private(name: str, private: bool):
    data = MAKERS[name](private=private)

    result = transform(data)

    thumbnail, compressed = (output.data for output in result.outputs)
    assert result.facts.frames == len(formats.frames_of(compressed)) == 4
    assert formats.times_of(compressed) == formats.times_of(data) == [40, 70, 100, 130]
    assert Image.open(BytesIO(compressed)).info.get("loop") == Image.open(BytesIO(data)).info.get("loop")
    assert len(compressed) <= len(data)
    assert [key for key, secret in images.SECRETS.items() if secret in thumbnail + compressed] == []


@pytest.mark.parametrize("name", MAKERS)
def test_all_frames_look_like_those_of_the_source(name: str):
    data = MAKERS[name]()

    compressed = transform(data).outputs[1].data

    size = formats.moving()[0].size
    for one, other in zip(formats.frames_of(compressed), formats.frames_of(data), strict=True):
        shown = (Image.frombytes("RGBa", size, frame).convert("RGBA") for frame in (one, other))
        assert reference.distance(*shown) < (4 if name == "WebP" else 0.01)


@pytest.mark.parametrize("name", MAKERS)
def test_a_thumbnail_is_a_still_of_the_first_frame(name: str):
    thumbnail = transform(MAKERS[name]()).outputs[0]

    assert getattr(Image.open(BytesIO(thumbnail.data)), "n_frames", 1) == 1
    first = reference.shown(images.png(formats.moving()[0]))
    assert reference.distance(reference.shown(thumbnail.data), first) < 10


def test_a_wasteful_gif_animation_is_written_anew_without_loss():
    still = images.photo((120, 80)).quantize(32)
    wasteful = bombs.gif_of_whole_frames([frame_with_spot(still, 10 * number) for number in range(5)])

    compressed = transform(wasteful).outputs[1].data

    assert len(compressed) < 0.7 * len(wasteful)
    assert formats.frames_of(compressed) == formats.frames_of(wasteful)
    assert formats.times_of(compressed) == formats.times_of(wasteful)


def frame_with_spot(frame: Image.Image, x: int) -> Image.Image:
    moved = frame.copy()
    moved.paste(5, (x, 5, x + 8, 13))
    return moved


@pytest.mark.parametrize("name", ("GIF", "WebP", "lossless WebP"))
@pytest.mark.parametrize(
    "limits", (Limits(max_frames=3), Limits(max_pixels=4 * 120 * 80 - 1)), ids=("frames", "pixels over all")
)
def test_an_animation_over_its_budget_is_kept_as_it_is_and_has_a_thumbnail(name: str, limits: Limits):
    data = MAKERS[name](private=True)

    result = transform(data, ImageOptions(limits=limits))

    assert result.outputs[0].size == (120, 80)
    assert result.outputs[1].data == examine(data, Limits()).stripped()


def test_one_frame_over_the_limit_is_too_large():
    with pytest.raises(RejectError) as caught:
        transform(MAKERS["GIF"](), ImageOptions(limits=Limits(max_pixels=120 * 80 - 1)))

    assert caught.value.code == Code.TOO_LARGE


@pytest.mark.parametrize("name", ("GIF", "WebP"))
def test_frames_that_are_alike_stay_as_many_as_they_are(name: str):
    frames = [formats.moving()[0]] * 3 + formats.moving()[1:]
    whole = bombs.gif_of_whole_frames([frame.quantize(64) for frame in frames])
    data = whole if name == "GIF" else bombs.webp_of_whole_frames(frames)

    result = transform(data)

    assert result.facts.frames == len(formats.frames_of(result.outputs[1].data)) == 6


def test_a_webp_that_moves_keeps_the_profile_of_its_colours():
    frames = [images.photo((320, 240)).rotate(90 * turn) for turn in range(4)]
    profile = colour_profiles.display_p3()
    data = formats.webp(frames[0], **formats.animated(frames), quality=100, icc_profile=profile)

    result = transform(data).outputs[1].data

    assert len(result) < 0.9 * len(data) and Image.open(BytesIO(result)).info["icc_profile"] == profile
