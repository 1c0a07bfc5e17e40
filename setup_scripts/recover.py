"""Lost state: what a deployment has is found again by its tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cli import names
from cli.aws import Aws
from cli.aws_words import FORBIDDEN
from cli.connection import Connection
from cli.exits import CommandError, Exit
from setup_scripts import batch_recovery
from setup_scripts.create_image_service import WANTED as IMAGE_SERVICE
from setup_scripts.log_groups import find_log_group
from setup_scripts.lookup import look
from setup_scripts.recovered_choices import choices

#: In the state: what `teardown.py --keep-originals` leaves there, and in AWS.
ORIGINALS = "images-bucket"
_ABSENT = (
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "NoSuchEntity",
    "ResourceNotFound",
    "RepositoryNotFoundException",
    "NoSuchDistribution",
)


def recover(connection: Connection, say: Callable[[str], None]) -> bool:
    """Put names that cannot be guessed back into an empty state; all others follow from the deployment's name.

    Kept originals alone are as good as nothing: what was made since then may be in another state. False where the state
    is empty, and these credentials may not look for what it has lost.
    """
    known = connection.resources.keys()
    if known - {ORIGINALS}:
        return True
    found = found_names(connection.aws)
    _put_back(connection, found or {}, say)
    return found is not None or bool(known)


def recover_anew(connection: Connection, say: Callable[[str], None]) -> None:
    """The same over a state that names something else: what carries the tag is right. CommandError where nothing does.

    Without this refusal setup would go on and make a second deployment beside the one that could not be seen.
    """
    found = found_names(connection.aws)
    if not found:
        text = f"nothing in {connection.target.description} carries the tag {names.TAG}={connection.target.name}"
        advice = (
            "check account, region and --name, and that tag:GetResources is allowed; without --recover it is made new"
        )
        raise CommandError(f"{text}: {advice}", Exit.REFUSED)
    _put_back(connection, found, say)


def _put_back(connection: Connection, found: Mapping[str, str], say: Callable[[str], None]) -> None:
    for key, value in found.items():
        if connection.resources.get(key) != value:
            connection.resources[key] = value
            say(f"found by its tag: {value}")
    if not found:
        return
    for key, value in choices(connection.aws).items():
        if key not in connection.resources:
            connection.resources[key] = value
            say(f"found as it was chosen: {key} {value}")


def found_names(aws: Aws) -> dict[str, str] | None:
    """Key → name, as the state keeps them, of all that carries the tag and whose name cannot be guessed.

    None where the search is not allowed.
    """
    found: dict[str, str] = {}
    arns = tagged(aws)
    if arns is None:
        return None
    for arn in sorted(arns):
        known = _known_name(arn, aws.target.name)
        if known:
            found.setdefault(*known)
    return found


def tagged(aws: Aws) -> list[str] | None:
    """The ARNs of all that carries the deployment's tag and still exists; None where the search is not allowed.

    AWS goes on listing what was deleted for a while.
    """
    pages = aws.tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": names.TAG, "Values": [aws.target.name]}]
    )
    answer = look(
        lambda: [entry["ResourceARN"] for page in pages for entry in page["ResourceTagMappingList"]], *FORBIDDEN
    )
    return None if answer is None else [arn for arn in answer if _exists(aws, arn)]


def _known_name(arn: str, name: str) -> tuple[str, str] | None:
    """The state's key and value for a bucket or the queue; the queue's name without the deployment's suffix."""
    service, resource = arn.split(":")[2], arn.split(":")[-1]
    if service == "s3" and resource.startswith(f"{names.IMAGES_BUCKET}-"):
        return "images-bucket", resource
    if service == "s3" and resource.startswith(f"{names.THUMBNAILS_BUCKET}-"):
        return "thumbnails-bucket", resource
    if service == "s3" and resource.startswith(f"{names.SERVICE_BUCKET}-"):
        return "service-bucket", resource
    if service == "sqs" and resource == names.suffixed(names.IMAGE_QUEUE, name) + names.FIFO:
        return IMAGE_SERVICE, "wanted"
    if service == "batch":
        return batch_recovery.known_name(resource, name)
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
        "cloudwatch": lambda: _alarm_or_dashboard(aws, resource, last),
        "batch": lambda: batch_recovery.exists(aws, resource),
        # Jobs of AWS Batch hand their tag on to the tasks that they run in, which end with them.
        "ecs": lambda: None,
        "ecr": lambda: aws.ecr.describe_repositories(repositoryNames=[last])["repositories"],
        "cloudfront": lambda: aws.cloudfront.get_distribution(Id=last),
        "logs": lambda: find_log_group(aws, resource.removeprefix("log-group:").removesuffix(":*")),
    }
    return service not in ask or bool(look(ask[service], *_ABSENT))


def _lambda_resource(aws: Aws, resource: str, last: str) -> object:
    if resource.startswith("event-source-mapping"):
        return aws.functions.get_event_source_mapping(UUID=last)
    return aws.functions.get_function_configuration(FunctionName=last)


def _alarm_or_dashboard(aws: Aws, resource: str, last: str) -> object:
    if resource.startswith("dashboard"):
        return aws.cloudwatch.get_dashboard(DashboardName=last)
    return aws.cloudwatch.describe_alarms(AlarmNames=[last])["MetricAlarms"]
