import argparse

import pytest

from cli.arguments import Choice, command_parser, positive


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    return command_parser("Does a thing.", "python thing.py", prog="thing.py")


def test_the_shared_options_become_a_choice(parser):
    arguments = parser.parse_args(["--aws", "--region", "eu-west-1", "--profile", "work", "--name", "blue", "--json"])

    assert Choice.from_arguments(arguments) == Choice(aws=True, region="eu-west-1", profile="work", name="blue")
    assert arguments.json is True


@pytest.mark.parametrize(
    "arguments",
    [
        ["--local", "--aws"],
        ["egg_info"],
        ["--loc"],
        ["--name", ""],
        ["--name", "Blue"],
        ["--name", "-x"],
        ["--name", "x" * 21],
        ["--name", "a/b"],
    ],
)
def test_wrong_use_ends_with_2(parser, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(arguments)

    assert ended.value.code == 2
    assert "thing.py: error:" in capsys.readouterr().err


def test_the_help_is_a_sentence_and_examples(parser):
    text = parser.format_help()

    assert "Does a thing." in text
    assert text.endswith("examples:\n  python thing.py\n")


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "many", "²"])
def test_what_is_no_whole_number_above_0_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="must be a whole number above 0"):
        positive(text)


def test_a_whole_number_above_0_is_taken():
    assert positive("12") == 12
