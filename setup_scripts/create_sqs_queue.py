"""Creates the queue that announces uploads, and its dead-letter queue."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import json
from collections.abc import Mapping
from typing import Any

from cli import names
from setup_scripts import policies
from setup_scripts.context import Context
from setup_scripts.lookup import look, merged, says

#: Six times the function's timeout, as AWS advises: a message that is being worked on is not given out again.
VISIBILITY_TIMEOUT = 720
MAX_RECEIVES = 5
DEAD_LETTER_DAYS = 14

_ABSENT = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def create(context: Context) -> None:
    bucket = context.resources.require("images-bucket", "setup_scripts/create_s3_buckets.py")
    queue_name = _queue_name(context)
    dead_letters = {"MessageRetentionPeriod": str(DEAD_LETTER_DAYS * 24 * 3600)}
    dead_letter_arn = ensure_queue(context, "dead-letter-queue", queue_name + names.DEAD_LETTERS, dead_letters)
    redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": MAX_RECEIVES}
    attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT), "RedrivePolicy": json.dumps(redrive)}
    queue_arn = ensure_queue(context, "messages-queue", queue_name, attributes)
    _allow(context, context.resources["messages-queue"], policies.queue(queue_arn, bucket, context.aws.target.account))


def delete(context: Context) -> None:
    """Both queues are found by name: a setup that died right after making one has not kept its URL."""
    if "messages-queue-name" in context.resources:
        queue_name = _queue_name(context)
        for name in (queue_name, queue_name + names.DEAD_LETTERS):
            delete_queue(context, name)
    for key in ("messages-queue", "dead-letter-queue"):
        for forgotten in (key, f"{key}-arn"):
            context.resources.pop(forgotten, None)
    context.resources.pop("messages-queue-name", None)


def delete_queue(context: Context, queue_name: str) -> None:
    found = find_queue(context, queue_name)
    if found:
        look(lambda: context.aws.sqs.delete_queue(QueueUrl=found), *_ABSENT)
        context.say(f"deleted: queue {queue_name}")


def find_queue(context: Context, queue_name: str) -> str | None:
    """The URL of the queue, if it exists."""
    answer = look(lambda: context.aws.sqs.get_queue_url(QueueName=queue_name), *_ABSENT)
    return answer["QueueUrl"] if answer else None


def _queue_name(context: Context) -> str:
    return context.suffixed(context.unique_name("messages-queue-name", names.QUEUE))


def ensure_queue(context: Context, key: str, queue_name: str, attributes: Mapping[str, str]) -> str:
    """Make or adjust one queue, keep its URL and ARN; returns the ARN."""
    sqs = context.aws.sqs
    url = find_queue(context, queue_name)
    if url is None:
        wanted: Any = dict(attributes)
        # For a minute after a queue was deleted, SQS makes none of its name.
        url = context.settled(
            lambda: sqs.create_queue(QueueName=queue_name, Attributes=wanted, tags=context.tags),
            not_yet=lambda error: says(error, "QueueDeletedRecently"),
        )["QueueUrl"]
        _wait_until_known(context, url)
        context.say(f"created: queue {queue_name}")
    context.resources[key] = url
    _tag(context, url)
    _set_attributes(context, url, attributes)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    context.resources[f"{key}-arn"] = arn
    return arn


def _allow(context: Context, url: str, ours: policies.Policy) -> None:
    """Statements of others stay: whoever sends uploads by SNS or EventBridge has one of their own here."""
    answer = context.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    present = policies.statements(answer.get("Attributes", {}).get("Policy"))
    wanted = policies.policy(*merged(present, ours["Statement"], "Sid"))
    _set_attributes(context, url, {"Policy": json.dumps(wanted)})


def _wait_until_known(context: Context, url: str) -> None:
    """SQS asks for a second of patience after a queue was made."""
    context.settled(
        lambda: context.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]),
        not_yet=lambda error: says(error, *_ABSENT),
    )


def _tag(context: Context, url: str) -> None:
    present = context.aws.sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
    if not context.tags.items() <= present.items():
        context.aws.sqs.tag_queue(QueueUrl=url, Tags=context.tags)


def _set_attributes(context: Context, url: str, wanted: Mapping[str, str]) -> None:
    answer: Any = context.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    present = answer.get("Attributes", {})
    changed: Any = {name: value for name, value in wanted.items() if not _same(present.get(name), value)}
    if changed:
        context.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes=changed)


def _same(present: str | None, wanted: str) -> bool:
    """Whether two attribute values say the same; policies come back as JSON of another layout."""
    if present is None or not wanted.startswith("{"):
        return present == wanted
    return _numbers_as_text(json.loads(present)) == _numbers_as_text(json.loads(wanted))


def _numbers_as_text(document: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, int) else value for name, value in document.items()}


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
