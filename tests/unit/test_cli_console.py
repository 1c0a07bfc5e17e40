import io
import json
import sys

import pytest

from cli import console


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (48_230, "48.2 kB"),
        (999_949, "999.9 kB"),
        (999_960, "1.0 MB"),
        (-2_500_000, "-2.5 MB"),
        (7 * 10**15, "7000.0 TB"),
    ],
)
def test_byte_counts_are_told_in_a_unit_that_fits(count, text):
    assert console.byte_size(count) == text


def test_nothing_from_outside_steers_the_terminal(capsys):
    console.result("a\x1b[31mred\nnew \u202e line été")

    assert capsys.readouterr().out == "a\\x1b[31mred\\nnew \\u202e line été\n"


def test_the_story_goes_to_stderr_and_the_result_to_stdout(capsys):
    console.say("story")
    console.result("result")
    console.json_line({"key": "é\n"})

    captured = capsys.readouterr()
    assert captured.err == "story\n"
    first, second = captured.out.splitlines()
    assert first == "result"
    assert json.loads(second) == {"key": "é\n"}


def test_a_table_shows_hostile_cells_as_text(capsys):
    console.table(("Image", "Bytes"), [("[red]x[/red]\x1b[0m", 3)], right=("Bytes",))

    assert "[red]x[/red]\\x1b[0m" in capsys.readouterr().out


def test_the_lines_of_a_table_are_equally_long_where_there_is_only_ascii(monkeypatch):
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="ascii", errors="backslashreplace"))

    console.table(["Image"], [["otoño.jpg"], ["a.jpg"]])

    lines = printed.getvalue().decode("ascii").splitlines()
    assert "| oto\\xf1o.jpg |" in lines
    assert len(set(map(len, lines))) == 1
