"""The order of events, deliveries and workers, in a model of S3, SQS and DynamoDB in memory.

Whatever happened, once every message has been worked to its end, the record and the outputs are those of the object as
it is, and nothing else is left.
"""

from __future__ import annotations

import itertools
import json
import random

import pytest

from pipeline.consume import consume
from pipeline.messages import Message, Uploads
from tests.functional.pipeline_in_memory import WANTED, Pipeline
from tests.memory_cloud import MemoryRecords
from tests.recorded import BUCKET, recorded
from tests.torture.interleaved import GOOD, KEY, World
from tests.torture.results import Results

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]

UPLOADS = Uploads(BUCKET, WANTED)
PUT, PUT_AGAIN, DELETE = "s3_put", "s3_copy", "s3_delete_marker_created"
MOST_EVENTS = 5


def cases():
    """Every sequence of at most five changes, with every order in which their events may come: 31,287 cases."""
    for length in range(1, MOST_EVENTS + 1):
        for changes in itertools.product((PUT, PUT_AGAIN, DELETE), repeat=length):
            for order in itertools.permutations(range(length)):
                yield changes, order


def live(changes: tuple[str, ...], order: tuple[int, ...], rng: random.Random) -> Pipeline:
    """Make the changes; deliver their events in `order`, each once or twice, as early as may be or later."""
    pipeline = Pipeline()
    pipeline.storage.versioned = (BUCKET,)
    waiting = list(order)
    made = 0
    while waiting or made < len(changes):
        if waiting and waiting[0] < made and rng.random() < 0.7:
            number = waiting.pop(0)
            deliver(pipeline, changes[number], deliveries=1)
            if rng.random() < 0.3:
                # Late, as a message comes that nobody deleted.
                waiting.insert(rng.randint(0, len(waiting)), number)
        elif made < len(changes):
            change(pipeline, changes[made])
            made += 1
    return pipeline


def change(pipeline: Pipeline, kind: str) -> None:
    if kind == DELETE:
        pipeline.storage.remove(BUCKET, KEY)
    else:
        pipeline.storage.put(BUCKET, KEY, GOOD[0] if kind == PUT else GOOD[1])


def deliver(pipeline: Pipeline, event: str, *, deliveries: int) -> None:
    body = recorded(event)
    body["Records"][0]["s3"]["object"]["key"] = KEY
    consume(Message(json.dumps(body), "id", deliveries), UPLOADS, pipeline.services, lambda outcome, facts: None)


def test_every_order_of_up_to_five_events_ends_in_what_the_object_is(full_torture, results: Results):
    chosen = list(cases())
    if not full_torture:
        chosen = random.Random(1).sample(chosen, 800)
    for number, (changes, order) in enumerate(chosen):
        pipeline = live(changes, order, random.Random(number))

        current = pipeline.storage.objects.get((BUCKET, KEY))
        record = pipeline.records.items.get(KEY)
        assert (record and record.version_id) == (current and current.version.version_id), (changes, order)
        assert pipeline.outputs == (record.output_keys if record else set()), (changes, order)
    results.say(cases=len(chosen), wrong=0)


def test_every_life_of_a_key_ends_in_what_the_object_is(full_torture, results: Results):
    seeds = 20_000 if full_torture else 1_200
    for seed in range(seeds):
        world = World(seed)

        world.run()

        assert world.wrongs() == [], f"seed {seed}"
    results.say(seeds=f"0 to {seeds - 1}", lives=seeds, wrong=0)


class TableWithoutConditions(MemoryRecords):
    """A table that takes every write: what the model must not put up with."""

    def put(self, record, *, replacing):
        self.items[record.image_id] = record
        return True


def test_the_model_notices_when_writes_to_the_table_have_no_condition():
    def wrongs(seed: int):
        world = World(seed, TableWithoutConditions())
        world.run()
        return world.wrongs()

    assert any(wrongs(seed) for seed in range(400))
