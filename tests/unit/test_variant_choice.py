import argparse

import pytest

from cli.exits import CommandError, Exit
from cli.variants import variants_of
from pipeline.images.options import ImageOptions, Preset
from pipeline.images.variants import Variants
from setup_scripts.variant_choice import add_variant_choice, recovered_variants, remember_variants


def said(*options, state=None):
    """The state after `options` were said."""
    parser = argparse.ArgumentParser()
    add_variant_choice(parser)
    state = {} if state is None else state
    remember_variants(parser.parse_args(options), state)
    return state


def test_without_a_word_there_are_none():
    assert said() == {} and variants_of({}) == Variants()


def test_what_was_said_is_kept_until_it_is_said_again():
    state = said("--variant-formats", "avif,WEBP", "--variant-widths", "640,320")
    assert variants_of(said(state=state)) == Variants(("WEBP", "AVIF"), (320, 640))

    said("--variant-formats", "webp", state=state)
    assert variants_of(state) == Variants(("WEBP",), (320, 640))
    said("--variant-widths", "100", state=state)
    assert variants_of(state) == Variants(("WEBP",), (100,))
    assert said("--no-variants", state=state) == {}


def test_a_preset_holds_for_all_that_is_made_until_another_one_is_said():
    state = said("--preset", "small", "--variant-formats", "webp")
    said("--no-variants", state=state)

    options = variants_of(state).image_options

    assert {output.preset for _, output in options.outputs} == {Preset.SMALL}
    assert options.hash() != ImageOptions().hash() == variants_of(said("--preset", "balanced")).image_options.hash()


def test_formats_alone_come_in_usual_widths():
    assert variants_of(said("--variant-formats", "avif")) == Variants(("AVIF",), (320, 640, 1280))


@pytest.mark.parametrize("options", [["--no-variants", "--variant-formats", "webp"], ["--variant-widths", "100"]])
def test_what_contradicts_itself_is_wrong_use_and_changes_nothing(options):
    state: dict[str, str] = {}

    with pytest.raises(CommandError) as refused:
        said(*options, state=state)

    assert refused.value.exit_code == Exit.WRONG_USE and state == {}


@pytest.mark.parametrize("options", [["--variant-formats", "jpeg"], ["--variant-widths", "wide"]])
def test_a_list_that_makes_no_sense_is_told_with_one_that_does(options, capsys):
    with pytest.raises(SystemExit):
        said(*options)

    assert "one looks like" in capsys.readouterr().err


def test_lost_choices_are_read_off_a_function():
    variables = {"VARIANT_FORMATS": "webp", "VARIANT_WIDTHS": "100,200", "IMAGE_PRESET": "fast", "OTHER": "x"}

    assert variants_of(recovered_variants(variables)) == Variants(("WEBP",), (100, 200), Preset.FAST)
    assert recovered_variants({}) == {}
