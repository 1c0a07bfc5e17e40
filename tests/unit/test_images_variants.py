"""Variants: which are made of an image, which are left out, and that no image ever fails for one."""

from io import BytesIO

import pytest
from PIL import Image

from pipeline.images.allowance import CPU_SECONDS, SECONDS, Allowance
from pipeline.images.optional import make, plan
from pipeline.images.options import ImageOptions, OutputOptions
from pipeline.images.transform import transform
from pipeline.images.variants import Variants, formats_in, widths_in
from pipeline.images.wire import BrokenAnswerError, check_names
from tests import reference
from tests.images import apng, exif, jpeg, mpo, photo, png

BOTH = Variants(("WEBP", "AVIF"), (100, 200, 400))


def sizes(made):
    return {output.name: output.size for output in made.outputs}


def test_without_formats_nothing_changes_at_all():
    assert Variants().image_options == ImageOptions()
    assert Variants().image_options.hash() == ImageOptions().hash()


def test_other_widths_formats_or_qualities_are_other_options():
    hashes = {Variants(("WEBP",), widths).image_options.hash() for widths in ((100,), (100, 200))}

    assert len(hashes | {BOTH.image_options.hash(), ImageOptions().hash()}) == 4


def test_every_format_is_made_in_every_width_after_the_two_that_are_always_made():
    made = transform(jpeg(photo((600, 300))), BOTH.image_options)

    assert [output.name for output in made.outputs[:2]] == ["thumbnail", "compressed"]
    assert {name: size for name, size in sizes(made).items() if "-" in name} == {
        "webp-100": (100, 50),
        "avif-100": (100, 50),
        "webp-200": (200, 100),
        "avif-200": (200, 100),
        "webp-400": (400, 200),
        "avif-400": (400, 200),
    }
    assert made.left_out == ()


def test_the_two_that_are_always_made_are_the_same_with_variants_and_without():
    source = jpeg(photo((600, 300)))

    assert transform(source, BOTH.image_options).outputs[:2] == transform(source).outputs


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_variants_look_like_the_source(mode, orientation):
    source = (
        png(photo((600, 300), mode)) if mode == "RGBA" else jpeg(photo((600, 300)), exif=exif(orientation=orientation))
    )
    expected = reference.shown(source)

    for output in transform(source, BOTH.image_options).outputs[2:]:
        actual = reference.shown(output.data)
        assert actual.size == output.size
        assert reference.distance(actual, reference.scaled(expected, output.size)) < 6
        assert Image.open(BytesIO(output.data)).get_format_mimetype() == output.content_type


def test_an_image_is_never_enlarged_and_no_variant_comes_twice():
    made = transform(jpeg(photo((300, 200))), BOTH.image_options)

    assert sizes(made)["avif-400"] == (300, 200)
    narrow = transform(jpeg(photo((150, 100))), BOTH.image_options)
    assert [name for name in sizes(narrow) if name.startswith("avif")] == ["avif-100", "avif-200"]


def test_what_the_thumbnail_shows_already_is_not_made_again():
    made = transform(jpeg(photo((150, 100))), BOTH.image_options)

    # The thumbnail is a WebP of 150 × 100 as well.
    assert sizes(made)["thumbnail"] == (150, 100)
    assert [name for name in sizes(made) if name.startswith("webp")] == ["webp-100"]


def test_a_picture_that_moves_has_none_for_they_would_stand_still():
    made = transform(apng(), BOTH.image_options)

    assert [output.name for output in made.outputs] == ["thumbnail", "compressed"]
    assert made.left_out == ()


def test_a_photo_with_a_second_picture_inside_does_not_move():
    assert len(transform(mpo(), BOTH.image_options).outputs) > 2


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def allowance(*, cpu=0.0, clock=0.0, left=1e9) -> Allowance:
    spent, passed = Seconds(), Seconds()
    made = Allowance(cpu=spent, clock=passed, left=lambda: left)
    spent.now, passed.now = cpu, clock
    return made


@pytest.mark.parametrize("late", [{"cpu": CPU_SECONDS}, {"clock": SECONDS}, {"left": 1.0}])
def test_what_cannot_be_made_in_time_is_left_out_and_told(late):
    made = transform(jpeg(photo((600, 300))), BOTH.image_options, allowance=lambda: allowance(**late))

    assert [output.name for output in made.outputs] == ["thumbnail", "compressed"]
    assert set(made.left_out) == {name for name, _ in BOTH.outputs}


def test_the_smallest_are_made_first_so_that_time_runs_out_for_the_largest():
    left = iter([9.0, 0.5])
    planned = plan(Variants(("WEBP",), (1280, 320)).outputs, (3000, 1500), ())

    made, left_out = make(planned, photo, Allowance(cpu=Seconds(), clock=Seconds(), left=lambda: next(left)))

    assert [output.name for output in made] == ["webp-320"] and left_out == ["webp-1280"]


def test_the_next_one_is_reckoned_by_how_long_the_last_one_took():
    spent = Seconds()
    slow = Allowance(cpu=spent, clock=Seconds(), left=lambda: 1e9)

    with slow.learning("AVIF", 1_000_000):
        spent.now += 3

    assert not slow.covers("AVIF", 2_000_000) and slow.covers("AVIF", 1_000_000) and slow.covers("WEBP", 2_000_000)


def test_a_width_beyond_what_an_encoder_takes_is_left_out():
    planned = plan(Variants(("AVIF",), (100, 8000)).outputs, (8000, 8000), ())

    assert [one.is_possible for one in planned] == [True, False]


@pytest.mark.parametrize("fault", [MemoryError(), OSError("encoder error"), ValueError("no")])
def test_an_encoder_that_fails_takes_no_image_with_it(fault):
    def picture(size):
        raise fault

    made, left_out = make(plan(BOTH.outputs, (600, 300), ()), picture, allowance())

    assert made == [] and len(left_out) == 6


def test_an_optional_output_without_a_format_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="names no format"):
        plan([("odd", OutputOptions(optional=True))], (10, 10), ())


def test_lists_are_read_in_any_order_and_spelling():
    assert formats_in("AVIF, webp") == formats_in("webp,avif") == ("WEBP", "AVIF")
    assert widths_in(" 640,320 ,640") == (320, 640)


@pytest.mark.parametrize("text", ["jpeg", "webp,", "webp;avif", "", "*"])
def test_formats_that_make_no_sense_are_told_with_one_that_does(text):
    with pytest.raises(ValueError, match="one looks like webp,avif"):
        formats_in(text)


@pytest.mark.parametrize(
    "text", ["", "wide", "0", "8", "9000", "320,-1", "1e3", "٣٢٠", "320,,640", ",".join(map(str, range(100, 109)))]
)
def test_widths_that_make_no_sense_are_told_with_some_that_do(text):
    with pytest.raises(ValueError, match="one looks like 320,640,1280"):
        widths_in(text)


NEEDED = ["thumbnail", "compressed"]


@pytest.mark.parametrize(
    ("made", "left_out"),
    [(NEEDED, []), ([*NEEDED, "avif-100"], ["webp-100"]), (NEEDED, [name for name, _ in BOTH.outputs])],
)
def test_a_child_may_leave_out_what_is_optional(made, left_out):
    check_names(made, left_out, BOTH.image_options)


@pytest.mark.parametrize(
    ("made", "left_out"),
    [
        (["thumbnail"], []),
        (["compressed", "thumbnail"], []),
        ([*NEEDED, "avif-999"], []),
        ([*NEEDED, "avif-100", "avif-100"], []),
        ([*NEEDED, "avif-100"], ["avif-100"]),
        (NEEDED, ["thumbnail"]),
        ([*NEEDED, "thumbnail"], []),
    ],
)
def test_a_child_that_leaves_out_what_is_needed_or_makes_up_outputs_is_not_believed(made, left_out):
    with pytest.raises(BrokenAnswerError):
        check_names(made, left_out, BOTH.image_options)
