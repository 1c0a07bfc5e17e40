from __future__ import annotations

import json
from typing import Any, cast
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from pipeline.errors import RetryError
from pipeline.queues import Queue
from tests.contract.conftest import ON_AWS_ENGINES
from tests.odd_keys import ODD_KEYS


@pytest.fixture
def url(clients):
    return clients["sqs"].create_queue(QueueName=f"many-{uuid4().hex[:8]}")["QueueUrl"]


def received(clients, url):
    bodies = []
    while messages := clients["sqs"].receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in messages]
    return bodies


@ON_AWS_ENGINES
def test_ten_messages_go_in_one_call_whatever_their_keys(clients, url):
    queue = Queue(clients["sqs"], url)
    bodies = [{"bucket_name": "uploads", "image_key": key} for key in (*ODD_KEYS, "é" * 512)]

    for start in range(0, len(bodies), 10):
        queue.send_many(bodies[start : start + 10])

    assert sorted(body["image_key"] for body in received(clients, url)) == sorted(body["image_key"] for body in bodies)


@ON_AWS_ENGINES
def test_what_sqs_does_not_take_at_first_is_sent_again_and_nothing_twice(clients, url):
    queue = Queue(cast(Any, Reluctant(clients["sqs"], refusals=1)), url)

    queue.send_many([{"image_key": str(number)} for number in range(10)])

    assert sorted(int(body["image_key"]) for body in received(clients, url)) == list(range(10))


@ON_AWS_ENGINES
def test_what_sqs_does_not_take_at_all_is_told(clients, url):
    queue = Queue(cast(Any, Reluctant(clients["sqs"], refusals=99)), url)

    with pytest.raises(RetryError, match="5 not taken: InternalError"):
        queue.send_many([{"image_key": str(number)} for number in range(10)])


@ON_AWS_ENGINES
def test_a_queue_that_is_not_there_is_a_fault_to_try_again(clients, url):
    with pytest.raises(RetryError) as raised:
        Queue(clients["sqs"], f"{url}-gone").send_many([{"image_key": "a"}])

    assert isinstance(raised.value.__cause__, ClientError)


class Reluctant:
    """SQS that takes only every other message of a batch, so many times."""

    def __init__(self, sqs, refusals: int) -> None:
        self._sqs = sqs
        self._refusals = refusals

    def send_message_batch(self, *, QueueUrl, Entries):
        if not self._refusals:
            return self._sqs.send_message_batch(QueueUrl=QueueUrl, Entries=Entries)
        self._refusals -= 1
        refused = [entry for entry in Entries if int(entry["Id"]) % 2]
        taken = [entry for entry in Entries if entry not in refused]
        answer = self._sqs.send_message_batch(QueueUrl=QueueUrl, Entries=taken) if taken else {}
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in refused]
        return answer | {"Failed": failed}
