"""Where the functions log. Lambda would make these groups by itself, and keep them for ever."""

from __future__ import annotations

from typing import Any

from cli import names
from cli.aws import Aws
from setup_scripts.context import Context
from setup_scripts.functions import FUNCTIONS, IMAGE_SERVICE, Function
from setup_scripts.lookup import look
from setup_scripts.ownership import is_ours, leave

LOG_DAYS = 14


def ensure_log_groups(context: Context) -> None:
    for function in FUNCTIONS:
        ensure_log_group(context, function)


def ensure_log_group(context: Context, function: Function) -> None:
    ensure_group(context, names.log_group(context.suffixed(function.base_name)))


def ensure_group(context: Context, group: str) -> None:
    present = find_log_group(context.aws, group)
    if present is None:
        context.aws.logs.create_log_group(logGroupName=group, tags=context.tags)
        context.say(f"created: log group {group}")
    elif not _is_ours(context, present):
        # A shorter time would delete another's logs.
        leave(context, "log group", group)
        return
    if present is None or present.get("retentionInDays") != LOG_DAYS:
        context.aws.logs.put_retention_policy(logGroupName=group, retentionInDays=LOG_DAYS)


def delete_log_groups(context: Context) -> None:
    """Last of all: a function that is still running would make its group again."""
    for function in (*FUNCTIONS, IMAGE_SERVICE):
        delete_group(context, names.log_group(context.suffixed(function.base_name)))


def delete_group(context: Context, group: str) -> None:
    present = find_log_group(context.aws, group)
    if present and not _is_ours(context, present):
        leave(context, "log group", group)
    elif present:
        look(lambda: context.aws.logs.delete_log_group(logGroupName=group), "ResourceNotFoundException")
        context.say(f"deleted: log group {group}")


def _is_ours(context: Context, present: dict[str, Any]) -> bool:
    arn = str(present["arn"]).removesuffix(":*")
    tags = context.aws.logs.list_tags_for_resource(resourceArn=arn).get("tags", {})
    return is_ours(context, str(present["logGroupName"]), tags)


def find_log_group(aws: Aws, group: str) -> dict[str, Any] | None:
    found = aws.logs.describe_log_groups(logGroupNamePrefix=group).get("logGroups", [])
    return next((dict(entry) for entry in found if entry.get("logGroupName") == group), None)
