"""A queue as a worker uses it."""

from uuid import uuid4

import pytest

from pipeline.queues import DeadLetterQueue, Queue
from tests.contract.conftest import ON_AWS_ENGINES

pytestmark = ON_AWS_ENGINES


@pytest.fixture(params=["standard", "fifo"])
def queue_url(clients, request):
    fifo = request.param == "fifo"
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
    name = f"work-{uuid4().hex[:8]}" + ".fifo" * fifo
    return clients["sqs"].create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def send(clients, queue_url, body, **options):
    group = {"MessageGroupId": "g"} if queue_url.endswith(".fifo") else {}
    return clients["sqs"].send_message(QueueUrl=queue_url, MessageBody=body, **group, **options)["MessageId"]


def test_a_message_is_received_once_and_gone_when_it_was_deleted(clients, queue_url):
    message_id = send(clients, queue_url, "body")
    queue = Queue(clients["sqs"], queue_url)

    received = queue.receive(visibility=600, wait=1)
    nobody_else = queue.receive(visibility=600, wait=0)
    queue.delete(received.receipt_handle)

    message = received.message
    assert (message.body, message.message_id, message.deliveries) == ("body", message_id, 1)
    assert nobody_else is None and queue.receive(visibility=600, wait=0) is None


def test_a_message_that_was_put_off_comes_again_and_says_so(clients, queue_url):
    send(clients, queue_url, "body")
    queue = Queue(clients["sqs"], queue_url)

    queue.put_off(queue.receive(visibility=600, wait=1).receipt_handle, 0)
    again = queue.receive(visibility=600, wait=1)

    assert again.message.deliveries == 2


def test_a_message_that_is_redriven_twice_has_its_first_id_and_one_delivery_more(clients, queue_url):
    first = send(clients, queue_url, "body")
    letters, queue = DeadLetterQueue(clients["sqs"], queue_url, wait=1), Queue(clients["sqs"], queue_url)

    for _ in range(2):
        letters.send_back(next(letters.receive()), queue_url)

    received = queue.receive(visibility=600, wait=1)
    assert (received.message.message_id, received.message.deliveries) == (first, 2)
