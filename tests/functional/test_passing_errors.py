"""What AWS refuses for some seconds only, since something is too new or on its way: tried again, to a deadline."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from setup_scripts import retry
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import changes, context

pytestmark = pytest.mark.usefixtures("account")


def put_off(made):
    uuid = made.resources["event-source-uuid"]
    made.aws.functions.update_event_source_mapping(UUID=uuid, BatchSize=1)
    made.aws.functions.update_function_configuration(FunctionName="ImageGalleryFunction", MemorySize=128)


def refuse(made, client, operation, code, message, times):
    """Let AWS answer `operation` with this error, `times` times; the list of the refused calls."""
    refused: list[str] = []

    def answer(model, **_):
        if model.name != operation or len(refused) >= times:
            return None
        refused.append(operation)
        return SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": message}}

    getattr(made.aws, client).meta.events.register_first("before-call", answer)
    return refused


#: By what is too new: the call that is refused, how, and what leads to it.
TOO_NEW = {
    "a role": (
        *("functions", "CreateFunction", "InvalidParameterValueException"),
        "The role defined for the function cannot be assumed by Lambda.",
        set_up,
    ),
    "a role, for the key of the variables": (
        *("functions", "CreateFunction", "InvalidParameterValueException"),
        "Lambda was unable to configure access to your environment variables: the KMS key is invalid for CreateGrant",
        set_up,
    ),
    "a role, for the key of the variables, when a function is changed": (
        *("functions", "UpdateFunctionConfiguration", "InvalidParameterValueException"),
        "Lambda was unable to configure access to your environment variables: the KMS key is invalid for CreateGrant",
        set_up,
    ),
    "a role, for its policy": (
        *("iam", "PutRolePolicy", "NoSuchEntity"),
        "The role with name ImageProcessingFunction-us-east-1 cannot be found.",
        set_up,
    ),
    "a queue": (
        *("sqs", "GetQueueAttributes", "AWS.SimpleQueueService.NonExistentQueue"),
        "The specified queue does not exist.",
        set_up,
    ),
    "a role's policy, for the queue": (
        *("functions", "CreateEventSourceMapping", "InvalidParameterValueException"),
        "The provided execution role does not have permissions to call ReceiveMessage on SQS",
        set_up,
    ),
    "a role's policy, for the stream": (
        *("functions", "CreateEventSourceMapping", "InvalidParameterValueException"),
        "Cannot access stream arn:aws:dynamodb:us-east-1:123456789012:table/ImageMetadata/stream/1",
        set_up,
    ),
    "the opening of a bucket": (
        *("s3", "PutBucketPolicy", "AccessDenied"),
        "not authorized because public policies are blocked by the BlockPublicPolicy block public access setting",
        set_up,
    ),
    "the queue's policy": (
        *("s3", "PutBucketNotificationConfiguration", "InvalidArgument"),
        "Unable to validate the following destination configurations",
        set_up,
    ),
    "what a function that still ran has written": (
        *("s3", "DeleteBucket", "BucketNotEmpty"),
        "The bucket you tried to delete is not empty (BucketNotEmpty)",
        tear_down,
    ),
    "the last change of a trigger, when it goes": (
        *("functions", "DeleteEventSourceMapping", "ResourceInUseException"),
        "Cannot delete the event source mapping because it is in use (ResourceInUseException)",
        tear_down,
    ),
    "the last change of a trigger, when it is changed": (
        *("functions", "UpdateEventSourceMapping", "ResourceInUseException"),
        "The event source mapping is being updated (ResourceInUseException)",
        set_up,
    ),
}


@pytest.mark.parametrize("too_new", TOO_NEW)
def test_what_is_refused_for_being_too_new_is_tried_again(tmp_path, too_new):
    client, operation, code, message, work = TOO_NEW[too_new]
    shelf: dict[str, str] = {}
    if operation.startswith(("Delete", "Update")):
        set_up(stands := context(tmp_path, shelf))
        put_off(stands)
    made = context(tmp_path, shelf)
    refused = refuse(made, client, operation, code, message, times=3)

    work(made)

    assert len(refused) == 3
    assert operation in [*changes(made), "GetQueueAttributes"]


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_a_role_that_never_becomes_known_ends_the_waiting_at_the_deadline(tmp_path):
    clock = Clock()
    made = replace(
        context(tmp_path, {}), settled=partial(retry.settled, sleep=clock.sleep, clock=clock, pause=5, deadline=60)
    )
    client, operation, code, message, _ = TOO_NEW["a role"]
    refused = refuse(made, client, operation, code, message, times=1000)

    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        set_up(made)

    assert clock.now == 60
    assert len(refused) == 13


def test_what_will_be_refused_for_ever_is_not_tried_again(tmp_path):
    made = context(tmp_path, {})
    message = "The runtime parameter of python9 is not supported"
    refused = refuse(made, "functions", "CreateFunction", "InvalidParameterValueException", message, times=1000)

    with pytest.raises(ClientError, match="python9"):
        set_up(made)

    assert len(refused) == 1


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"])
def test_what_aws_throttles_is_sent_again_for_longer_than_in_a_function(tmp_path, code):
    made = context(tmp_path, {})
    client: Any = made.aws.functions
    answers = [code]

    def throttle(response, **_):
        # Before botocore decides: the first answer is one of too many requests, whatever moto said.
        if answers:
            response[1]["Error"] = {"Code": answers.pop(), "Message": "Rate exceeded"}
            response[0].status_code = 429

    client.meta.events.register_first("needs-retry.lambda.ListFunctions", throttle)

    assert client.list_functions()["Functions"] == []
    assert answers == []
    assert client.meta.config.retries["total_max_attempts"] == 8
