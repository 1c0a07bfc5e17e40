"""One image that kills, starves or holds up whoever decodes it, among others: these are done, wherever it is met.

In the function, in the consumer of the image service and in a job of a file list; beside it lie bombs that are real.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from bulk.batch_results import Row
from bulk.batch_run import BatchRun
from bulk.memory_gate import MemoryGate
from imageservice.ports.workers.worker import Stop, Worker
from pipeline.batch.settings import BatchSettings
from pipeline.consume import consume
from pipeline.images.isolate import transform_isolated
from pipeline.images.nursery import Nursery
from pipeline.queues import Received
from pipeline.services import Services
from pipeline.settings import Settings
from pipeline.storage import Storage
from pipeline.table.records import Records
from tests import bombs
from tests.functional.test_image_worker import ListQueue
from tests.functional.url_service_in_memory import IMAGES, message, url_service
from tests.images import jpeg, photo
from tests.meta.project import ROOT
from tests.poison import POISONS
from tests.poisoned_function import ANSWER, SMALL, TAKEN

pytestmark = [
    pytest.mark.local_cloud,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's limits are Linux's"),
]

GOOD = {f"{number}.jpg": jpeg(photo((30 + number, 20)), quality=95) for number in (0, 1, 2, 3, 5, 6, 9)}
#: What becomes of each poison in a child.
CODES = {"crash": "CORRUPT_FILE", "memory": "TOO_LARGE", "loop": "TOO_LARGE"}
BOMBS = {"7.png": bombs.png_claiming(95_000, 95_000), "8.jpg": bombs.jpeg_with_scans(2_000)}
WORK = "tests.poison:transform_unless_poison"

each_poison = pytest.mark.parametrize("poison", POISONS)


def batch(poison: str) -> dict[str, bytes]:
    """Ten images by their keys: seven good ones, two bombs, and `4.jpg`."""
    return dict(sorted((GOOD | BOMBS | {"4.jpg": POISONS[poison]}).items()))


def wanted(poison: str) -> dict[str, str]:
    return dict.fromkeys(GOOD, "DONE") | dict.fromkeys(BOMBS, "TOO_LARGE") | {"4.jpg": CODES[poison]}


@dataclass(frozen=True)
class Function:
    """What the function works with, in the local cloud, under names of its own."""

    environ: dict[str, str]
    settings: Settings
    s3: Any
    dynamodb: Any

    def deliver(self, keys: list[str], times: int) -> tuple[int, Any]:
        """Call it with a message for each key, for the `times`th time; its exit code and its answer, if it gave one."""
        attributes = {"ApproximateReceiveCount": str(times)}
        bodies = {key: json.dumps({"bucket_name": self.settings.uploads_bucket, "image_key": key}) for key in keys}
        records = [
            {"messageId": key, "receiptHandle": key, "body": body, "attributes": attributes}
            for key, body in bodies.items()
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.poisoned_function"],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps({"Records": records}))
            process.stdin.close()
            return self._heard(process)

    def _heard(self, process: subprocess.Popen[str]) -> tuple[int, Any]:
        answer = None
        lives = threading.Timer(2, process.kill)
        for line in process.stdout or ():
            if line.strip() == TAKEN:
                # What neither crashes nor starves it holds it up until its time is over.
                lives.start()
            if line.startswith(ANSWER):
                answer = json.loads(line.removeprefix(ANSWER))
        code = process.wait(120)
        lives.cancel()
        return code, answer

    def outputs(self) -> set[str]:
        listed = self.s3.list_objects_v2(Bucket=self.settings.outputs_bucket).get("Contents", [])
        return {entry["Key"] for entry in listed}


@pytest.fixture
def function(local_cloud) -> Iterator[Function]:
    mark = uuid.uuid4().hex[:8]
    s3, sqs, dynamodb = (local_cloud.client(service) for service in ("s3", "sqs", "dynamodb"))
    settings = Settings(
        uploads_bucket=f"uploads-{mark}",
        outputs_bucket=f"outputs-{mark}",
        table_name=f"ImageMetadata-{mark}",
        outputs_url="http://outputs",
        uploads_url="http://uploads",
        queue_url=sqs.create_queue(QueueName=f"queue-{mark}")["QueueUrl"],
    )
    for bucket in (settings.uploads_bucket, settings.outputs_bucket):
        s3.create_bucket(Bucket=bucket)
    dynamodb.create_table(
        TableName=settings.table_name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "ImageID", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "ImageID", "KeyType": "HASH"}],
    )
    environ = {**local_cloud.environ, **settings.to_environment()}
    yield Function(environ, settings, s3, dynamodb)


@each_poison
def test_nine_images_are_done_and_the_one_that_kills_its_decoder_is_failed_after_two_deliveries(function, poison):
    images = batch(poison)
    for key, data in images.items():
        function.s3.put_object(Bucket=function.settings.uploads_bucket, Key=key, Body=data)

    died, nothing = function.deliver(list(images), 1)
    ended, answer = function.deliver(list(images), 2)

    # The first call took its whole batch with it: nothing was reported, and SQS gives all ten out again.
    assert died < 0 and nothing is None
    assert (ended, answer) == (0, {"batchItemFailures": []})
    kept = Records(function.dynamodb, function.settings.table_name)
    records = {key: record for key in images if (record := kept.get(key))}
    assert {key: record.error_code or record.outcome for key, record in records.items()} == wanted(poison)
    named = {key for record in records.values() for key in record.output_keys}
    assert function.outputs() == named and len(named) == 2 * len(GOOD)


@each_poison
def test_a_consumer_answers_every_message_and_lives_on_when_one_is_poison(poison, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    images = batch(poison)
    nursery = Nursery(WORK)
    with url_service() as service:
        service.web.pages |= {f"http://origin.example/{key}": data for key, data in images.items()}
        isolated = partial(transform_isolated, work=WORK, budget=SMALL, start=nursery.start)
        services = replace(service.services, isolated=isolated)
        queue: Any = ListQueue(*(Received(asking(key), key) for key in images))

        Worker(queue, partial(consume, intake=IMAGES, services=services, report=unheard), Stop()).run(
            lambda: bool(queue.given)
        )

        nursery.close()
        assert queue.fates == [("deleted", key) for key in images]
        ends = {body["key"]: end_of(body) for _, body, _ in service.receiver.told}
        assert ends == wanted(poison)
        assert len(service.keys()) == len(GOOD) * len(IMAGES.sizes)


def unheard(outcome: str, facts: Mapping[str, object]) -> None:
    """A report that nobody listens to."""


def asking(key: str) -> Any:
    address = {"image_url": f"http://origin.example/{key}", "postback_url": "http://receiver.example/"}
    return message({**address, "bucket_name": "TEST", "key": key}, message_id=key)


def end_of(body: dict[str, Any]) -> str:
    return "DONE" if body["image_url_info"] else str(body["errors"][0]["code"])


@each_poison
def test_a_job_that_was_killed_by_an_image_does_all_others_at_its_next_attempt(local_cloud, poison):
    mark, images = uuid.uuid4().hex[:8], batch(poison)
    s3, rows = local_cloud.client("s3"), list[Row]()
    for bucket in ("photos", "out"):
        s3.create_bucket(Bucket=f"{bucket}-{mark}")
    for key, data in images.items():
        s3.put_object(Bucket=f"photos-{mark}", Key=key, Body=data)
    settings = BatchSettings.from_environment(
        {
            "AWS_REGION": "us-east-1",
            "IN_BUCKET": "lists",
            "JSON_LOCATION": "list.json",
            "OUT_BUCKET": f"out-{mark}",
            "OUT_KEY": "o",
        }
    )
    services = Services(
        storage=Storage(s3),
        budget=MemoryGate(10**9),
        isolated=partial(transform_isolated, work=WORK, budget=SMALL),
    )
    run = BatchRun(services, settings, rows.append, threading.Event(), workers=4, suspicious=True)

    assert run.run(f"s3://photos-{mark}/{key}" for key in images) is True

    assert {row.image.rpartition("/")[2]: row.code or row.outcome for row in rows} == wanted(poison)
    assert s3.list_objects_v2(Bucket=f"out-{mark}")["KeyCount"] == len(GOOD)
