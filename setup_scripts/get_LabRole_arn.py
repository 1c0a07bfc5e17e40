"""Makes one role for each function; where roles cannot be made, as in AWS Academy, finds LabRole. Prints their ARNs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cli import names
from setup_scripts import policies
from setup_scripts.context import Context
from setup_scripts.roles import delete_role, ensure_role, log_group_arn

_BUCKETS = "setup_scripts/create_s3_buckets.py"
_TABLE = "setup_scripts/create_dynamodb_table.py"
_STATS_TABLE = "setup_scripts/create_stats_table.py"


def create(context: Context) -> None:
    function, gallery = context.suffixed(names.FUNCTION), context.suffixed(names.GALLERY_FUNCTION)
    context.resources["labrole-arn"] = ensure_role(context, function, _processing_policy(context, function))
    context.resources["gallery-role-arn"] = ensure_role(context, gallery, _gallery_policy(context, gallery))
    stats = context.suffixed(names.STATS_FUNCTION)
    context.resources["stats-role-arn"] = ensure_role(context, stats, _stats_policy(context, stats))


def delete(context: Context) -> None:
    for function in (names.FUNCTION, names.GALLERY_FUNCTION, names.STATS_FUNCTION):
        delete_role(context, names.role(context.suffixed(function), context.aws.target.region))
    for key in ("labrole-arn", "gallery-role-arn", "stats-role-arn"):
        context.resources.pop(key, None)


def _processing_policy(context: Context, function: str) -> policies.Policy:
    resources = context.resources
    return policies.processing_role(
        uploads=resources.require("images-bucket", _BUCKETS),
        outputs=resources.require("thumbnails-bucket", _BUCKETS),
        queue_arn=resources.require("messages-queue-arn", "setup_scripts/create_sqs_queue.py"),
        table_arn=resources.require("dynamodb-table-arn", _TABLE),
        log_group_arn=log_group_arn(context, function),
    )


def _gallery_policy(context: Context, function: str) -> policies.Policy:
    return policies.gallery_role(
        table_arn=context.resources.require("dynamodb-table-arn", _TABLE),
        stats_table_arn=context.resources.require("stats-table-arn", _STATS_TABLE),
        log_group_arn=log_group_arn(context, function),
    )


def _stats_policy(context: Context, function: str) -> policies.Policy:
    return policies.stats_role(
        table_arn=context.resources.require("dynamodb-table-arn", _TABLE),
        stats_table_arn=context.resources.require("stats-table-arn", _STATS_TABLE),
        log_group_arn=log_group_arn(context, function),
    )


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name, shows=("labrole-arn", "gallery-role-arn", "stats-role-arn")))
