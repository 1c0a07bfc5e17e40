"""A sample of the orders that `tests/torture/test_event_orders.py` plays in memory, on engines that speak AWS's API."""

from __future__ import annotations

import random

import pytest

from pipeline.budget import PixelBudget
from pipeline.errors import SkipError
from pipeline.images.transform import transform
from pipeline.job import Job, OutputWanted, S3Source
from pipeline.process import process
from pipeline.services import Services
from tests.functional.pipeline_in_memory import WANTED
from tests.torture.interleaved import GOOD
from tests.torture.test_event_orders import DELETE, PUT, cases

CASES = random.Random(3).sample(list(cases()), 25)


@pytest.fixture
def services(engine, records) -> Services:
    # Outputs lie beside the uploads here, as nothing announces either.
    return Services(
        storage=engine.storage,
        records=records,
        budget=PixelBudget(64_000_000),
        outputs_bucket=engine.bucket,
        outputs_url="http://outputs",
        uploads_url="http://uploads",
        function_timeout=0,
        isolated=transform,
    )


def test_a_sample_of_all_orders_ends_in_what_the_object_is(engine, services):
    wanted = tuple(OutputWanted(one.name, one.options, engine.bucket, one.folder) for one in WANTED)
    for number, (changes, order) in enumerate(CASES):
        key, rng = f"{number}.jpg", random.Random(number)

        def deliver(key=key, rng=rng) -> None:
            job = Job(source=S3Source(engine.bucket, key), outputs=wanted, deliveries=rng.choice((1, 1, 2)))
            try:
                process(job, services)
            except SkipError:
                pass

        waiting = list(order)
        for index, change in enumerate(changes):
            if change == DELETE:
                engine.remove(engine.bucket, key)
            else:
                engine.put(engine.bucket, key, GOOD[change == PUT])
            while waiting and waiting[0] <= index and rng.random() < 0.7:
                waiting.pop(0)
                deliver()
        for _ in waiting or (0,):
            deliver()

        current, record = engine.storage.head(engine.bucket, key), services.records.get(key)
        assert (record and record.version_id) == (current and current.version_id), (changes, order)
        present = {
            name for one in WANTED for name, _ in engine.storage.list_folder(engine.bucket, f"{one.folder}/{key}/")
        }
        assert present == (record.output_keys if record else set()), (changes, order)
