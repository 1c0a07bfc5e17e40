"""Lost state: what a deployment has is found again by its tag."""

from __future__ import annotations

from collections.abc import Callable

from cli import names
from cli.aws import Aws
from cli.connection import Connection
from cli.exits import FORBIDDEN
from setup_scripts.lookup import look

_ABSENT = (
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "NoSuchEntity",
)


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
    """Whether the resource is still there; of a kind that we do not make, its tag is proof enough."""
    service, resource = arn.split(":")[2], arn.split(":", 5)[-1]
    last = resource.rpartition(":" if ":" in resource else "/")[2]
    ask: dict[str, Callable[[], object]] = {
        "s3": lambda: aws.s3.head_bucket(Bucket=resource),
        "sqs": lambda: aws.sqs.get_queue_url(QueueName=resource),
        "dynamodb": lambda: aws.dynamodb.describe_table(TableName=last),
        "iam": lambda: aws.iam.get_role(RoleName=last),
        "lambda": lambda: _lambda_resource(aws, resource, last),
        "logs": lambda: _log_group(aws, resource.removeprefix("log-group:").removesuffix(":*")),
    }
    return service not in ask or bool(look(ask[service], *_ABSENT))


def _lambda_resource(aws: Aws, resource: str, last: str) -> object:
    if resource.startswith("event-source-mapping"):
        return aws.functions.get_event_source_mapping(UUID=last)
    return aws.functions.get_function_configuration(FunctionName=last)


def _log_group(aws: Aws, group: str) -> bool:
    found = aws.logs.describe_log_groups(logGroupNamePrefix=group).get("logGroups", [])
    return any(entry.get("logGroupName") == group for entry in found)
