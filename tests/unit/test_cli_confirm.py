import io
import sys

import pytest

from cli.confirm import confirm
from cli.exits import CommandError, Exit
from tests.terminal import Terminal


@pytest.mark.parametrize("typed", ["yes\n", " YES \n", "yes"])
def test_whoever_types_yes_is_taken_at_their_word(monkeypatch, capsys, typed):
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    confirm(lambda: "All of\nit?", "nothing was done")

    assert capsys.readouterr() == ("", "All of\\nit? Type yes to go on: ")


@pytest.mark.parametrize("typed", ["no\n", "y\n", "\n", ""])
def test_any_other_answer_and_the_end_of_input_end_it_with_1(monkeypatch, typed):
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    with pytest.raises(CommandError, match="nothing was done") as ended:
        confirm(lambda: "All of it?", "nothing was done")

    assert ended.value.exit_code == Exit.SOME_FAILED


def test_where_nobody_can_be_asked_the_question_is_not_even_put_together(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))

    with pytest.raises(CommandError, match="add --yes") as ended:
        confirm(lambda: pytest.fail("it is"), "nothing was done")

    assert ended.value.exit_code == Exit.WRONG_USE
