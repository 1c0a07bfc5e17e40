"""Random lives of one key: written, overwritten and deleted, also while workers are at work on it; messages late,
doubled and out of order; workers side by side, dying after any step.

Whatever happened, once every message has been delivered to the end the record and the outputs are those of the object
as it is, and nothing else is left.
"""

from __future__ import annotations

import random

import pytest

from pipeline.errors import RetryError, SkipError
from pipeline.job import Outcome
from tests.functional.pipeline_in_memory import Pipeline
from tests.images import jpeg, photo

KEY = "a.jpg"
GOOD = [jpeg(photo((side, 16)), quality=95) for side in (16, 24)]
CONTENTS = [*GOOD, b"no picture"]
VISIBILITY = 720


class Death(BaseException):
    """The worker's process ends here."""


class Life:
    """One seeded life. `waiting` and `hidden` hold how often each message has been delivered.

    A message that a worker left is hidden for the visibility timeout, which is longer than any worker lives: it shows
    again only when nobody is at work.
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.pipeline = Pipeline()
        self.waiting: list[int] = []
        self.hidden: list[int] = []
        self.workers = 0
        self.changes_left = self.rng.randint(1, 5)

    def run(self) -> None:
        while self.changes_left or self.waiting or self.hidden:
            if self.changes_left and self.rng.random() < 0.5:
                self.change()
            elif self.waiting:
                self.deliver()
            else:
                self.pipeline.storage.clock.pass_seconds(VISIBILITY)
                self.waiting, self.hidden = self.hidden, []

    def change(self) -> None:
        """Somebody writes or deletes the object; S3 sends its event once or twice."""
        self.changes_left -= 1
        if self.rng.random() < 0.3:
            self.pipeline.storage.remove("uploads", KEY)
        else:
            self.pipeline.upload(KEY, self.rng.choice(CONTENTS))
        self.waiting += [0] * self.rng.randint(1, 2)

    def deliver(self) -> None:
        """A worker gets one of the waiting messages, and leaves it in the queue if it dies or asks for another try."""
        received = self.waiting.pop(self.rng.randrange(len(self.waiting))) + 1
        self.workers += 1
        try:
            self.pipeline.run(KEY, deliveries=received, watch=self.meddle)
        except SkipError:
            pass
        except (Death, RetryError):
            self.hidden.append(received)
        self.workers -= 1

    def meddle(self, step: str, facts: object) -> None:
        """Between two steps of a worker: its death, another change, or another worker on another message."""
        chance = self.rng.random()
        if chance < 0.1:
            raise Death
        if chance < 0.25 and self.changes_left:
            self.change()
        elif chance < 0.4 and self.waiting and self.workers < 3:
            self.deliver()


@pytest.mark.torture
def test_every_life_of_a_key_ends_in_what_the_object_is(full_torture):
    for seed in range(20_000 if full_torture else 1_500):
        life = Life(seed)

        life.run()

        pipeline = life.pipeline
        current = pipeline.storage.objects.get(("uploads", KEY))
        record = pipeline.records.items.get(KEY)
        assert (record is None) == (current is None), f"seed {seed}"
        assert pipeline.outputs == (record.output_keys if record else set()), f"seed {seed}"
        if current:
            assert record.version_id == current.version.version_id, f"seed {seed}"
            assert record.outcome is (Outcome.DONE if current.data in GOOD else Outcome.FAILED), f"seed {seed}"
