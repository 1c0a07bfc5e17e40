import pytest

from cli.exits import CommandError
from setup_scripts.retry import settled, until


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_it_waits_until_the_answer_is_true():
    clock = Clock()

    answer = until(lambda: clock.now >= 3 and "ready", what="x", pause=1, sleep=clock.sleep, clock=clock)

    assert answer == "ready"
    assert clock.now == 3


def test_it_gives_up_at_the_deadline_and_says_on_what():
    clock = Clock()

    with pytest.raises(CommandError, match="gave up after 10 s: the table is not ready"):
        until(lambda: None, what="the table is not ready", deadline=10, pause=1, sleep=clock.sleep, clock=clock)

    assert clock.now == 10


def test_a_call_is_repeated_while_its_error_may_pass():
    clock = Clock()

    def call():
        if clock.now < 2:
            raise ValueError("not yet")
        return "made"

    is_passing = lambda error: "not yet" in str(error)  # noqa: E731
    assert settled(call, not_yet=is_passing, sleep=clock.sleep, clock=clock) == "made"


@pytest.mark.parametrize(("text", "slept"), [("not yet", 5), ("never", 0)])
def test_an_error_that_stays_and_one_that_cannot_pass_are_raised(text, slept):
    clock = Clock()

    def call():
        raise ValueError(text)

    with pytest.raises(ValueError, match=text):
        settled(call, not_yet=lambda e: "not yet" in str(e), deadline=5, pause=1, sleep=clock.sleep, clock=clock)

    assert clock.now == slept
