import json

import pytest

from pipeline.image_service.redirects import MAX_BYTES, Redirected, Redirects
from tests.functional.url_service_in_memory import BUCKET, url_service


@pytest.fixture
def service(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with url_service() as service:
        yield service


def redirects(service, **options):
    facts = {"allowed": ("*",), "own_queue_url": service.own_queue_url, "bucket": BUCKET, **options}
    return Redirects(service.sqs, service.s3, **facts)


def test_a_fifo_queue_gets_a_group_and_an_id_that_a_repetition_shares(service):
    queue = service.queue("Next.fifo")
    sender = redirects(service)

    sent = [sender.send("Next.fifo", {"a": 1}, reply_id) for reply_id in ("msg_1", "msg_1", "msg_2")]

    assert sent == [Redirected.SENT] * 3
    ids = [one["Attributes"]["MessageDeduplicationId"] for one in service.received(queue)]
    assert sorted(ids) == ["msg_1", "msg_2"]


def test_only_queues_whose_names_are_allowed_are_sent_to(service):
    service.queue("ChannelImages")
    service.queue("Payments")
    sender = redirects(service, allowed=("Channel*", "Episode*"))

    assert sender.send("ChannelImages", {}, "msg_1") is Redirected.SENT
    assert sender.send("Payments", {}, "msg_1") is Redirected.NOT_ALLOWED


def test_nothing_goes_back_to_the_queue_that_it_came_from(service):
    own = service.queue("ImageQueue.fifo")

    assert redirects(service, own_queue_url=own).send("ImageQueue.fifo", {}, "msg_1") is Redirected.OWN_QUEUE
    assert service.received(own) == []


def test_a_name_is_a_whole_name(service):
    service.queue("ChannelImages")

    assert redirects(service).send("Channel", {}, "msg_1") is Redirected.NO_SUCH_QUEUE


def test_a_queue_that_is_made_later_is_found_and_one_that_goes_is_missed(service):
    sender = redirects(service)
    before = sender.send("Later", {}, "msg_1")
    queue = service.queue("Later")
    made = sender.send("Later", {}, "msg_2")
    service.sqs.delete_queue(QueueUrl=queue)
    gone = sender.send("Later", {}, "msg_3")

    assert [before, made, gone] == [Redirected.NO_SUCH_QUEUE, Redirected.SENT, Redirected.NO_SUCH_QUEUE]


def test_queues_that_are_known_are_looked_up_anew_after_so_many_calls(service):
    service.queue("ChannelImages")
    asked = []
    service.sqs.meta.events.register("provide-client-params.sqs.ListQueues", lambda params, **_: asked.append(params))
    sender = redirects(service, refresh_after=3)

    for _ in range(6):
        sender.send("ChannelImages", {}, "msg_1")
        sender.received()

    assert len(asked) == 2


def test_a_body_that_is_too_large_lies_in_s3_and_its_pointer_in_the_queue(service):
    queue, body = service.queue("ChannelImages"), {"text": "x" * MAX_BYTES}

    redirects(service).send("ChannelImages", body, "msg_1")

    [message] = service.received(queue)
    kind, place = json.loads(message["Body"])
    assert kind == "software.amazon.payloadoffloading.PayloadS3Pointer"
    assert place == {"s3BucketName": BUCKET, "s3Key": "redirected/msg_1.json"}
    assert json.loads(service.object(place["s3Key"])) == body
    assert int(message["MessageAttributes"]["ExtendedPayloadSize"]["StringValue"]) > MAX_BYTES
