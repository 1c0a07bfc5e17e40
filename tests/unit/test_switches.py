import argparse

import pytest

from setup_scripts.switches import ALARMS, SNAPSTART, add_switches, remember_switches


def said(*options, state=None):
    """The state after `options` were said."""
    parser = argparse.ArgumentParser()
    add_switches(parser)
    state = {} if state is None else state
    remember_switches(parser.parse_args(options), state)
    return state


def test_without_a_word_alarms_are_on_and_snapshots_are_off():
    assert said() == {}
    assert ALARMS.is_on({}) and not SNAPSTART.is_on({})


@pytest.mark.parametrize(("option", "is_on"), [("--alarms", True), ("--no-alarms", False)])
def test_what_was_said_is_kept(option, is_on):
    assert ALARMS.is_on(said(option)) == is_on


def test_what_is_not_said_again_stays():
    state = said("--no-alarms", "--snapstart")

    said("--no-snapstart", state=state)

    assert not ALARMS.is_on(state) and not SNAPSTART.is_on(state)
