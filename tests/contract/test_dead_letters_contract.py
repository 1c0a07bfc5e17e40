from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import pytest
from botocore.exceptions import EndpointConnectionError

from pipeline.errors import RetryError
from pipeline.queues import REDRIVEN, DeadLetterQueue, Queue
from tests.contract.conftest import ON_AWS_ENGINES

pytestmark = ON_AWS_ENGINES


@pytest.fixture(params=["standard", "fifo"])
def queues(clients, request) -> tuple[str, str]:
    """The URLs of a queue and of one for dead letters."""
    fifo = {"FifoQueue": "true"} if request.param == "fifo" else {}
    suffix = ".fifo" if fifo else ""
    return tuple(
        clients["sqs"].create_queue(QueueName=f"{name}-{uuid4().hex[:8]}{suffix}", Attributes=fifo)["QueueUrl"]
        for name in ("queue", "dead")
    )


def send(clients, url, *bodies):
    for number, body in enumerate(bodies):
        group = {"MessageGroupId": "group", "MessageDeduplicationId": str(number)} if url.endswith(".fifo") else {}
        origin = {"Origin": {"DataType": "String", "StringValue": "a topic"}}
        clients["sqs"].send_message(QueueUrl=url, MessageBody=body, MessageAttributes=origin, **group)


def waiting(clients, url):
    """Everything that can be received now; it stays hidden afterwards."""
    found: list[dict[str, Any]] = []
    while True:
        answer = clients["sqs"].receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        if not answer.get("Messages"):
            return found
        found += answer["Messages"]
        for message in answer["Messages"]:
            # A FIFO queue gives out nothing more of a group until this is done.
            clients["sqs"].delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_dead_letters_go_back_with_their_attributes_and_the_mark(clients, queues):
    queue, dead = queues
    send(clients, dead, *(f"body {number}" for number in range(12)))
    letters, first_ids = DeadLetterQueue(clients["sqs"], dead, wait=0), {}

    for letter in letters.receive():
        first_ids[letter.body] = letter.message_id
        letters.send_back(letter, queue)

    found = waiting(clients, queue)
    assert sorted(message["Body"] for message in found) == sorted(f"body {number}" for number in range(12))
    for message in found:
        assert message["MessageAttributes"][REDRIVEN]["StringValue"] == first_ids[message["Body"]]
        assert message["MessageAttributes"]["Origin"]["StringValue"] == "a topic"
    assert list(letters.receive()) == []


def test_a_redrive_that_is_stopped_before_it_deletes_leaves_the_letter_where_it_was(clients, queues):
    queue, dead = queues
    send(clients, dead, "body")
    letters = DeadLetterQueue(clients["sqs"], dead, wait=0)
    [letter] = letters.receive()

    stopped = DeadLetterQueue(cast(Any, Refusing(clients["sqs"], "delete_message")), dead, wait=0)
    with pytest.raises(RetryError):
        stopped.send_back(letter, queue)
    letters.put_back(letter)

    assert [again.body for again in letters.receive()] == ["body"]
    assert [message["Body"] for message in waiting(clients, queue)] == ["body"]


class Refusing:
    """A client whose connection is gone for one operation."""

    def __init__(self, client, operation):
        self._client, self._operation = client, operation

    def __getattr__(self, name):
        if name == self._operation:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1")
        return getattr(self._client, name)


def test_a_letter_that_is_redriven_twice_does_no_more_than_come_twice(clients, queues):
    queue, dead = queues
    send(clients, dead, "body")
    letters = DeadLetterQueue(clients["sqs"], dead, wait=0)
    [letter] = letters.receive()

    letters.send_back(letter, queue)
    again = {**vars(letter), "attributes": {REDRIVEN: {"DataType": "String", "StringValue": "true"}}}
    try:
        letters.send_back(type(letter)(**again), queue)
    except Exception as error:
        # One engine minds that a letter which is gone is deleted again; AWS does not.
        assert "ReceiptHandle" in str(error)

    assert {message["Body"] for message in waiting(clients, queue)} == {"body"}


def test_a_delay_is_kept_for_one_message_alone(clients, queues):
    queue, _ = queues
    send(clients, queue, "body")
    message = clients["sqs"].receive_message(QueueUrl=queue, VisibilityTimeout=600)["Messages"][0]

    Queue(clients["sqs"], queue).put_off(message["ReceiptHandle"], 0)

    assert [one["Body"] for one in waiting(clients, queue)] == ["body"]
