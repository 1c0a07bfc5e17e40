"""Connects the parts: the uploads bucket announces objects to the queue, and the queue triggers the function."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import os
from typing import Any

from cli import names
from setup_scripts.context import Context
from setup_scripts.event_sources import delete_triggers, ensure_trigger
from setup_scripts.lookup import look, merged, says

EVENTS = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed")
BATCH_SIZE = 10
MOST_CONCURRENCY = 100
#: The least that AWS lets an SQS mapping have.
LEAST_CONCURRENCY = 2
_NOTIFICATION_ID = "image-pipeline"
_KINDS = ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations", "EventBridgeConfiguration")


def create(context: Context) -> None:
    bucket = context.resources.require("images-bucket", "setup_scripts/create_s3_buckets.py")
    queue_arn = context.resources.require("messages-queue-arn", "setup_scripts/create_sqs_queue.py")
    function = context.resources.require("lambda-function", "setup_scripts/configure_lambda.py")
    wanted: dict[str, Any] = {
        "BatchSize": BATCH_SIZE,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": _concurrency(context)},
    }
    uuid = ensure_trigger(context, function, queue_arn, wanted)
    _announce(context, bucket, queue_arn)
    context.resources["event-source-uuid"] = uuid


def delete(context: Context) -> None:
    delete_triggers(context, context.suffixed(names.FUNCTION), f":{names.QUEUE}-")
    bucket = context.resources.get("images-bucket")
    if bucket:
        # Also where the bucket goes as well: emptying it would send a message for each object.
        _silence(context, bucket)
    context.resources.pop("event-source-uuid", None)


def maximum_concurrency(unreserved: int) -> int:
    """How many invocations the queue may cause at once: half of what the account has free, within limits."""
    return max(LEAST_CONCURRENCY, min(MOST_CONCURRENCY, unreserved // 2))


def _concurrency(context: Context) -> int:
    if not context.aws.target.is_aws:
        return max(LEAST_CONCURRENCY, os.cpu_count() or 1)
    limits = context.aws.functions.get_account_settings()["AccountLimit"]
    return maximum_concurrency(limits["UnreservedConcurrentExecutions"])


def _announce(context: Context, bucket: str, queue_arn: str) -> None:
    ours = {"Id": _NOTIFICATION_ID, "QueueArn": queue_arn, "Events": list(EVENTS)}
    present = _notifications(context, bucket)
    queues = present.get("QueueConfigurations", [])
    if any(_same(entry, ours) for entry in queues):
        return
    wanted: Any = {**present, "QueueConfigurations": merged(queues, [ours], "Id")}
    # S3 sends a test message at once, and for some seconds after its policy was written the queue may refuse it.
    context.settled(
        lambda: context.aws.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted),
        not_yet=lambda error: says(error, "Unable to validate"),
    )
    context.say(f"connected: bucket {bucket} to the queue")


def _silence(context: Context, bucket: str) -> None:
    """Take our notification, and no other, from the bucket."""
    present = look(lambda: _notifications(context, bucket), "NoSuchBucket") or {}
    queues = present.get("QueueConfigurations", [])
    others = [entry for entry in queues if entry.get("Id") != _NOTIFICATION_ID]
    if others != queues:
        wanted: Any = {**present, "QueueConfigurations": others}
        context.aws.s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration=wanted,
            # Else S3 refuses it all where the queue of one of the others is gone.
            SkipDestinationValidation=True,
        )


def _notifications(context: Context, bucket: str) -> dict[str, Any]:
    """All notifications of `bucket`, those of others too: S3 only knows how to replace the whole."""
    answer: Any = context.aws.s3.get_bucket_notification_configuration(Bucket=bucket)
    return {kind: answer[kind] for kind in _KINDS if kind in answer}


def _same(entry: dict[str, Any], ours: dict[str, Any]) -> bool:
    return {**entry, "Events": sorted(entry["Events"])} == {**ours, "Events": sorted(ours["Events"])}


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
