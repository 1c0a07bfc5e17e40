"""Everything that a deployment is made of, in the order in which it is made. It is taken down the other way round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from setup_scripts import (
    add_sqs_trigger,
    add_stats_trigger,
    configure_lambda,
    create_alarms,
    create_batch,
    create_cloudfront,
    create_dynamodb_table,
    create_image_service,
    create_s3_buckets,
    create_sqs_queue,
    create_stats_table,
    deploy_static_site,
    get_LabRole_arn,
)
from setup_scripts.context import Context
from setup_scripts.gallery_url import close_other_url
from setup_scripts.log_groups import delete_log_groups
from setup_scripts.roles import delete_left


@dataclass(frozen=True)
class Step:
    """Both functions look first and then act: running them again, or after they died half-way, is harmless."""

    create: Callable[[Context], None]
    delete: Callable[[Context], None]


STEPS = (
    Step(create_s3_buckets.create, create_s3_buckets.delete),
    Step(create_sqs_queue.create, create_sqs_queue.delete),
    Step(create_dynamodb_table.create, create_dynamodb_table.delete),
    Step(create_stats_table.create, create_stats_table.delete),
    Step(get_LabRole_arn.create, get_LabRole_arn.delete),
    Step(configure_lambda.create, configure_lambda.delete),
    Step(add_stats_trigger.create, add_stats_trigger.delete),
    Step(add_sqs_trigger.create, add_sqs_trigger.delete),
    Step(create_image_service.create, create_image_service.delete),
    Step(create_batch.create, create_batch.delete),
    Step(create_alarms.create, create_alarms.delete),
    Step(create_cloudfront.create, create_cloudfront.delete),
    Step(deploy_static_site.create, deploy_static_site.delete),
)


def set_up(context: Context) -> None:
    """Make what is missing and adjust what differs; what the page no longer names goes last."""
    for step in STEPS:
        step.create(context)
    # Edges of CloudFront that do not know the new address yet still ask at the one of before.
    if create_cloudfront.is_deployed(context):
        close_other_url(context)


def tear_down(context: Context) -> None:
    """Delete all of it, log groups last."""
    delete_left(context)
    for step in reversed(STEPS):
        step.delete(context)
    delete_log_groups(context)
