"""One image that kills whoever decodes it, among nine others in a batch of Lambda's."""

from __future__ import annotations

import json
from functools import partial

from pipeline.consume import consume
from pipeline.images.isolate import transform_isolated
from pipeline.messages import Message, Uploads
from tests.functional.pipeline_in_memory import WANTED, Pipeline
from tests.images import jpeg, photo
from tests.torture.poison import POISON

JPEG = jpeg(photo((30, 20)), quality=95)
KEYS = [f"{number}.jpg" for number in range(10)]


class Death(BaseException):
    """The function's process ends, and with it the whole batch."""


def work(pipeline: Pipeline, batch: dict[str, int]) -> None:
    """One call of the function, as `handler` works: message after message; SQS gets back what was not finished."""
    for key, deliveries in batch.items():
        if pipeline.storage.objects["uploads", key].data == POISON and deliveries == 1:
            raise Death
        body = json.dumps({"bucket_name": "uploads", "image_key": key})
        consume(Message(body, key, deliveries), Uploads("uploads", WANTED), pipeline.services, lambda *told: None)


def test_nine_images_are_done_and_the_one_that_kills_its_decoder_is_failed_after_two_deliveries():
    pipeline = Pipeline(isolated=partial(transform_isolated, work="tests.torture.poison:transform_unless_poison"))
    for key in KEYS:
        pipeline.upload(key, POISON if key == "4.jpg" else JPEG)
    try:
        work(pipeline, dict.fromkeys(KEYS, 1))
    except Death:
        # Nothing was reported, so all ten come again, those that were done too.
        pipeline.storage.clock.pass_seconds(720)
        work(pipeline, dict.fromkeys(KEYS, 2))

    outcomes = {key: record.error_code or record.outcome for key, record in pipeline.records.items.items()}
    assert outcomes == {key: "CORRUPT_FILE" if key == "4.jpg" else "DONE" for key in KEYS}
    named = {key for record in pipeline.records.items.values() for key in record.output_keys}
    assert pipeline.outputs == named and len(named) == 18
