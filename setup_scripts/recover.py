"""Lost state: what a deployment has is found again by its tag."""

from __future__ import annotations

from collections.abc import Callable

from cli import names
from cli.aws import Aws
from cli.connection import Connection
from cli.exits import FORBIDDEN
from setup_scripts.lookup import look


def recover(connection: Connection, say: Callable[[str], None]) -> None:
    """Put names that cannot be guessed back into an empty state; all others follow from the deployment's name."""
    if connection.resources:
        return
    for arn in sorted(tagged(connection.aws)):
        found = _known_name(arn, connection.target.name)
        if found and found[0] not in connection.resources:
            key, value = found
            connection.resources[key] = value
            say(f"found by its tag: {value}")


def tagged(aws: Aws) -> list[str]:
    """The ARNs of all that carries the deployment's tag and still exists; none where the search is not allowed.

    AWS goes on listing what was deleted for a while.
    """
    pages = aws.tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": names.TAG, "Values": [aws.target.name]}]
    )
    answer = look(
        lambda: [entry["ResourceARN"] for page in pages for entry in page["ResourceTagMappingList"]], *FORBIDDEN
    )
    return [arn for arn in answer or [] if _exists(aws, arn)]


def _known_name(arn: str, name: str) -> tuple[str, str] | None:
    """The state's key and value for a bucket or the queue; the queue's name without the deployment's suffix."""
    service, resource = arn.split(":")[2], arn.split(":")[-1]
    if service == "s3" and resource.startswith(f"{names.IMAGES_BUCKET}-"):
        return "images-bucket", resource
    if service == "s3" and resource.startswith(f"{names.THUMBNAILS_BUCKET}-"):
        return "thumbnails-bucket", resource
    if service == "sqs" and resource.startswith(f"{names.QUEUE}-") and not resource.endswith(names.DEAD_LETTERS):
        return "messages-queue-name", resource.removesuffix(names.suffixed("", name))
    return None


def _exists(aws: Aws, arn: str) -> bool:
    service, resource = arn.split(":")[2], arn.split(":", 5)[-1]
    last = resource.split("/")[-1].split(":")[-1]
    calls: dict[str, tuple[Callable[[], object], str]] = {
        "s3": (lambda: aws.s3.head_bucket(Bucket=resource), "404"),
        "sqs": (lambda: aws.sqs.get_queue_url(QueueName=resource), "AWS.SimpleQueueService.NonExistentQueue"),
        "dynamodb": (lambda: aws.dynamodb.describe_table(TableName=last), "ResourceNotFoundException"),
        "lambda": (lambda: aws.functions.get_function(FunctionName=last), "ResourceNotFoundException"),
    }
    if service not in calls:
        return True
    call, absent = calls[service]
    return look(call, absent, "QueueDoesNotExist") is not None
