"""Creates the image service (`setup.py --with-image-service`): queue, bucket, role and function, and connects them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import json
from dataclasses import replace

from cli import names
from cli.signing_secrets import FILE_NAME
from pipeline.image_service.job import DELIVERIES, REDIRECTED
from setup_scripts import image_service_policies
from setup_scripts.configure_lambda import runtime_for
from setup_scripts.context import Context
from setup_scripts.create_s3_buckets import delete_bucket, ensure_bucket, expire, set_policy, set_public_access
from setup_scripts.create_sqs_queue import DEAD_LETTER_DAYS, MAX_RECEIVES, delete_queue, ensure_queue, find_queue
from setup_scripts.event_sources import delete_triggers, ensure_trigger
from setup_scripts.functions import IMAGE_SERVICE
from setup_scripts.image_service_settings import FROM_FILE, Told, told
from setup_scripts.lambda_functions import delete_function, ensure_function
from setup_scripts.log_groups import ensure_log_group
from setup_scripts.ownership import is_ours, refuse
from setup_scripts.policies import Policy
from setup_scripts.roles import delete_role, ensure_role, log_group_arn

#: In the state: the deployment is to have the service, also on later runs without the option.
WANTED = "image-service"
#: Six times the function's timeout, as AWS advises.
VISIBILITY_TIMEOUT = 6 * IMAGE_SERVICE.timeout
#: Days for which what is still to be said of a message is kept: as long as the message may wait among dead letters.
KEPT_DAYS = DEAD_LETTER_DAYS + 1
#: A message by itself: one whose server is slow holds nobody up.
BATCH_SIZE = 1
CONCURRENCY = 10


def create(context: Context) -> None:
    if WANTED not in context.resources:
        return
    queue_arn = _ensure_queues(context)
    bucket = ensure_bucket(context, "service-bucket", names.SERVICE_BUCKET)
    settings = told(context, bucket)
    if settings.secrets_from_file:
        context.resources[FROM_FILE] = FILE_NAME
    else:
        context.resources.pop(FROM_FILE, None)
    _configure_bucket(context, bucket, settings.prefix)
    function = context.suffixed(IMAGE_SERVICE.base_name)
    context.resources[IMAGE_SERVICE.role_key] = ensure_role(
        context, function, _role_policy(context, function, bucket, queue_arn, settings)
    )
    _ensure_function(context, settings)
    wanted = {
        "BatchSize": BATCH_SIZE,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": CONCURRENCY},
    }
    context.resources["image-service-trigger"] = ensure_trigger(context, function, queue_arn, wanted)


def delete(context: Context) -> None:
    """All of it is found by name, whether or not the state knows that it was wanted."""
    function = context.suffixed(IMAGE_SERVICE.base_name)
    delete_triggers(context, function, f":{names.IMAGE_QUEUE}")
    delete_function(context, IMAGE_SERVICE)
    delete_role(context, names.role(function, context.aws.target.region))
    if "service-bucket" in context.resources:
        delete_bucket(context, context.resources["service-bucket"])
    for queue in _queue_names(context):
        if _is_ours(context, queue):
            delete_queue(context, queue)
    for key in ("image-queue", "image-dead-letter-queue"):
        context.resources.pop(f"{key}-arn", None)
        context.resources.pop(key, None)
    for key in ("service-bucket", "image-service-trigger", IMAGE_SERVICE.role_key, WANTED, FROM_FILE):
        context.resources.pop(key, None)


def _queue_names(context: Context) -> tuple[str, str]:
    """The queue and its dead letters; the name of a FIFO queue has its ending last."""
    base = context.suffixed(names.IMAGE_QUEUE)
    return f"{base}{names.FIFO}", f"{base}{names.DEAD_LETTERS}{names.FIFO}"


def _is_ours(context: Context, queue: str) -> bool:
    url = find_queue(context, queue)
    tags = context.aws.sqs.list_queue_tags(QueueUrl=url).get("Tags", {}) if url else {}
    return is_ours(context, queue, tags)


def _refuse_foreign(context: Context, queue: str) -> None:
    """The older service has a queue of this name: it would be changed here, and deleted by a teardown."""
    if find_queue(context, queue) and not _is_ours(context, queue):
        otherwise = ", or let the consumer work on that queue (docs/image-service.md)"
        raise refuse("queue", queue, otherwise)


def _ensure_queues(context: Context) -> str:
    queue, dead_letters = _queue_names(context)
    for name in (queue, dead_letters):
        _refuse_foreign(context, name)
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    kept = {"MessageRetentionPeriod": str(DEAD_LETTER_DAYS * 24 * 3600)}
    dead_letter_arn = ensure_queue(context, "image-dead-letter-queue", dead_letters, {**fifo, **kept})
    redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": MAX_RECEIVES}
    attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT), "RedrivePolicy": json.dumps(redrive)}
    return ensure_queue(context, "image-queue", queue, {**fifo, **attributes})


def _configure_bucket(context: Context, bucket: str, prefix: str) -> None:
    set_public_access(context, bucket, open_to_policies=True)
    set_policy(
        context, bucket, image_service_policies.image_service_bucket(bucket, prefix, tls=context.aws.target.is_aws)
    )
    expire(context, bucket, [_expiring(folder) for folder in (DELIVERIES, REDIRECTED)])


def _expiring(folder: str) -> dict[str, object]:
    return {
        "ID": f"image-pipeline-{folder}",
        "Status": "Enabled",
        "Filter": {"Prefix": f"{folder}/"},
        "Expiration": {"Days": KEPT_DAYS},
    }


def _role_policy(context: Context, function: str, bucket: str, queue_arn: str, settings: Told) -> Policy:
    target = context.aws.target
    here = f"{target.region}:{target.account}"
    return image_service_policies.image_service_role(
        bucket=bucket,
        prefix=settings.prefix,
        queue_arn=queue_arn,
        redirect_arns=[f"arn:aws:sqs:{here}:{pattern}" for pattern in settings.redirect_queues],
        parameter_arns=[f"arn:aws:ssm:{here}:parameter/{name}" for name in settings.parameters],
        log_group_arn=log_group_arn(context, function),
    )


def _ensure_function(context: Context, settings: Told) -> None:
    ensure_log_group(context, IMAGE_SERVICE)
    runtime = replace(runtime_for(context, IMAGE_SERVICE), image_service=True)
    code = context.build(runtime, context.home, say=context.say).read_bytes()
    ensure_function(context, IMAGE_SERVICE, settings.environment, code, runtime.machine)


if __name__ == "__main__":
    from setup_scripts.alone import main

    def create_alone(context: Context) -> None:
        context.resources[WANTED] = "wanted"
        create(context)

    shown = ("image-queue", "service-bucket", "image-service-function")
    sys.exit(main(create_alone, __doc__, Path(__file__).name, shows=shown))
