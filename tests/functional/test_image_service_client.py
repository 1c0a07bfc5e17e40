import json
import socket
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from moto import mock_aws

from cli.credentials import LOCAL_KEY, LOCAL_SECRET
from cli.exits import CommandError
from imageservice.connection import s3_client, sqs_client, ssm_client
from imageservice.services.sqs import SQS
from pipeline.clients import make_client
from pipeline.settings import SettingsError

HERE = {"AWS_DEFAULT_REGION": "us-east-1"}
KEYS = {
    "AWS_ACCESS_KEY_S3": "s3-key",
    "AWS_SECRET_KEY_S3": "s3-secret",
    "AWS_ACCESS_KEY_SQS": "sqs-key",
    "AWS_SECRET_KEY_SQS": "sqs-secret",
}


@pytest.fixture
def aws(monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        yield make_client(None, "sqs", region="us-east-1")


def fifo(aws, name):
    return aws.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]


def received(aws, url):
    answer = aws.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    return answer.get("Messages", [])


def key(client: Any):
    credentials = client._request_signer._credentials
    return credentials.access_key, credentials.secret_key, credentials.token


def test_the_printed_example_sends_a_message_to_queue_url(aws, monkeypatch):
    queue = fifo(aws, "ImageQueue.fifo")
    monkeypatch.setenv("QUEUE_URL", queue)
    sqs = SQS()

    message_id = sqs.send_message_to_topic(
        {
            "_id": ObjectId("5f1d7a5c9c0b2a0017a1b2c3"),
            "image_url": "http://someimage.com/img.png",
            "bucket_name": "Test Bucket",
            "redirect_queue": "ChannelImages",
            "postback_url": "http://mycallbackurl.com/postback",
        }
    )

    [message] = received(aws, queue)
    assert message["MessageId"] == message_id
    assert json.loads(message["Body"]) == {
        "_id": "5f1d7a5c9c0b2a0017a1b2c3",
        "image_url": "http://someimage.com/img.png",
        "bucket_name": "Test Bucket",
        "redirect_queue": "ChannelImages",
        "postback_url": "http://mycallbackurl.com/postback",
    }


def test_what_mongodb_holds_is_written_as_text(aws):
    queue = fifo(aws, "ImageQueue.fifo")

    SQS(aws, {"QUEUE_URL": queue}).send_message_to_topic(
        {
            "at": datetime(2021, 4, 30, 12, 0, tzinfo=UTC),
            "day": date(2021, 4, 30),
            "price": Decimal("1.50"),
            "uuid": uuid.UUID(int=1),
            "many": [ObjectId("5f1d7a5c9c0b2a0017a1b2c3")],
        }
    )

    [message] = received(aws, queue)
    assert json.loads(message["Body"]) == {
        "at": "2021-04-30T12:00:00+00:00",
        "day": "2021-04-30",
        "price": "1.50",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "many": ["5f1d7a5c9c0b2a0017a1b2c3"],
    }


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), (b"bytes", TypeError), ({1}, TypeError)])
def test_what_json_does_not_have_is_refused_before_it_is_sent(aws, value, error):
    queue = fifo(aws, "ImageQueue.fifo")

    with pytest.raises(error):
        SQS(aws, {"QUEUE_URL": queue}).send_message_to_topic({"value": value})

    assert received(aws, queue) == []


def test_every_message_has_a_group_and_an_id_of_its_own_so_none_waits_for_another_and_none_is_dropped(aws):
    queue = fifo(aws, "ImageQueue.fifo")
    sqs = SQS(aws, {"QUEUE_URL": queue})

    for _ in range(2):
        sqs.send_message_to_topic({"image_url": "http://someimage.com/img.png"})

    attributes = [message["Attributes"] for message in received(aws, queue)]
    assert len({one["MessageGroupId"] for one in attributes}) == 2
    assert len({one["MessageDeduplicationId"] for one in attributes}) == 2


def test_another_queue_can_be_given_a_standard_one_too(aws):
    queue = aws.create_queue(QueueName="Other")["QueueUrl"]

    SQS(aws, {}).send_message_to_topic({"image_url": "x"}, queue)

    assert len(received(aws, queue)) == 1


def test_without_queue_url_the_test_queue_of_the_account_counts(aws):
    queue = fifo(aws, "ImageQueueTest.fifo")

    SQS(aws, {}).send_message_to_topic({"image_url": "x"})

    assert len(received(aws, queue)) == 1


def test_without_any_queue_the_error_says_how_to_name_one(aws):
    with pytest.raises(SettingsError, match="export QUEUE_URL="):
        SQS(aws, {}).send_message_to_topic({"image_url": "x"})


def test_s3_and_sqs_have_keys_of_their_own(aws, tmp_path):
    environ = {**HERE, **KEYS, "IMAGE_PIPELINE_HOME": str(tmp_path)}

    assert key(s3_client(environ)) == ("s3-key", "s3-secret", None)
    assert key(sqs_client(environ)) == ("sqs-key", "sqs-secret", None)


def test_keys_of_their_own_never_go_to_a_local_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        queue_url = f"http://127.0.0.1:{server.getsockname()[1]}/000000000000/ImageQueue.fifo"
        clients: list[Any] = [make({**KEYS, "QUEUE_URL": queue_url}) for make in (s3_client, sqs_client, ssm_client)]

    assert {key(client) for client in clients} == {(LOCAL_KEY, LOCAL_SECRET, None)}


def test_without_them_boto3_finds_its_own(aws, tmp_path):
    environ = {**HERE, "IMAGE_PIPELINE_HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "own", "AWS_SECRET_ACCESS_KEY": "s"}

    clients: list[Any] = [s3_client(environ), sqs_client(environ)]

    assert {client._request_signer._credentials.access_key for client in clients} == {"own"}


def test_half_a_pair_of_keys_is_an_error_that_names_the_other_half():
    with pytest.raises(CommandError, match="AWS_SECRET_KEY_SQS is not set") as refused:
        sqs_client({**HERE, "AWS_ACCESS_KEY_SQS": "key"})

    assert refused.value.exit_code == 254


def test_the_queue_is_asked_in_its_own_region_and_s3_in_the_named_one(aws, tmp_path):
    environ = {
        "QUEUE_URL": "https://sqs.us-east-2.amazonaws.com/123456789012/ImageQueue.fifo",
        "AWS_REGION": "eu-west-1",
        "IMAGE_PIPELINE_HOME": str(tmp_path),
    }

    assert sqs_client(environ).meta.region_name == "us-east-2"
    assert s3_client(environ).meta.region_name == "eu-west-1"


def test_a_closed_local_port_names_the_command_that_opens_it():
    with pytest.raises(CommandError, match="python -m local_cloud start") as refused:
        sqs_client({"QUEUE_URL": "http://127.0.0.1:1/000000000000/ImageQueue.fifo"})

    assert refused.value.exit_code == 254
