"""Lets every change of the metadata table be counted: its stream triggers the function that keeps the totals."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING, Any

from cli import names
from setup_scripts.context import Context
from setup_scripts.lookup import look, says

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef

_ABSENT = "ResourceNotFoundException"


def create(context: Context) -> None:
    table_name = context.resources.require("dynamodb-table", "setup_scripts/create_dynamodb_table.py")
    function = context.resources.require("stats-function", "setup_scripts/configure_lambda.py")
    stream_arn = context.aws.dynamodb.describe_table(TableName=table_name)["Table"]["LatestStreamArn"]
    context.resources["stats-trigger-uuid"] = _ensure_mapping(context, stream_arn, function)


def delete(context: Context) -> None:
    function = context.suffixed(names.STATS_FUNCTION)
    for mapping in _mappings(context, function):
        uuid = mapping["UUID"]
        look(lambda u=uuid: context.aws.functions.delete_event_source_mapping(UUID=u), _ABSENT)  # type: ignore[misc]
        context.until(lambda u=uuid: _is_gone(context, function, u), what=f"deleting the trigger of {function}")
        context.say(f"deleted: trigger of {function}")
    context.resources.pop("stats-trigger-uuid", None)


def _ensure_mapping(context: Context, stream_arn: str, function: str) -> str:
    from pipeline.stats import MOST_CHANGES

    # From the beginning of the stream: what was written before the trigger was there counts too.
    wanted: dict[str, Any] = {"BatchSize": MOST_CHANGES, "MaximumBatchingWindowInSeconds": 0}
    present = next((m for m in _mappings(context, function) if m["EventSourceArn"] == stream_arn), None)
    if present is None:
        return _create_mapping(context, stream_arn, function, wanted)
    uuid = present["UUID"]
    if any(present.get(name) != value for name, value in wanted.items()):
        context.aws.functions.update_event_source_mapping(UUID=uuid, FunctionName=function, **wanted)
        context.say(f"updated: trigger of {function}")
    _wait_until_enabled(context, uuid)
    return uuid


def _create_mapping(context: Context, stream_arn: str, function: str, wanted: dict[str, Any]) -> str:
    # For some seconds after its policy was written, the role may not read the stream yet.
    made = context.settled(
        lambda: context.aws.functions.create_event_source_mapping(
            EventSourceArn=stream_arn,
            FunctionName=function,
            StartingPosition="TRIM_HORIZON",
            Enabled=True,
            Tags=context.tags,
            **wanted,
        ),
        not_yet=lambda error: says(error, "does not have permissions", "execution role", "Cannot access stream"),
    )
    uuid = str(made["UUID"])
    _wait_until_enabled(context, uuid)
    context.say(f"created: trigger of {function}")
    return uuid


def _wait_until_enabled(context: Context, uuid: str) -> None:
    context.until(
        lambda: context.aws.functions.get_event_source_mapping(UUID=uuid)["State"] == "Enabled",
        what="the trigger of the totals is not enabled",
    )


def _mappings(context: Context, function: str) -> list[EventSourceMappingConfigurationTypeDef]:
    """The function's mappings to our table; one that a person added to another table is theirs."""
    answer = look(lambda: context.aws.functions.list_event_source_mappings(FunctionName=function), _ABSENT)
    found = answer["EventSourceMappings"] if answer else []
    table = f":table/{context.suffixed(names.TABLE)}/"
    return [mapping for mapping in found if table in mapping["EventSourceArn"]]


def _is_gone(context: Context, function: str, uuid: str) -> bool:
    return all(mapping["UUID"] != uuid for mapping in _mappings(context, function))


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
