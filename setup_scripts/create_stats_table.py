"""Creates the table ImageStats, which holds the totals of the gallery and the markers of what is counted in them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING, Any

from cli import names
from setup_scripts.context import Context
from setup_scripts.lookup import look, tag_list

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

_ABSENT = "ResourceNotFoundException"


def create(context: Context) -> None:
    table_name = context.suffixed(names.STATS_TABLE)
    table = _describe(context, table_name)
    if table is None:
        context.aws.dynamodb.create_table(TableName=table_name, Tags=_tags(context), **schema())
        context.say(f"created: table {table_name}")
    table = _wait_until_active(context, table_name)
    present: list[Any] = list(context.aws.dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags", []))
    if any(tag not in present for tag in _tags(context)):
        context.aws.dynamodb.tag_resource(ResourceArn=table["TableArn"], Tags=_tags(context))
    _let_markers_expire(context, table_name)
    context.resources["stats-table"] = table_name
    context.resources["stats-table-arn"] = table["TableArn"]


def delete(context: Context) -> None:
    table_name = context.suffixed(names.STATS_TABLE)
    if _describe(context, table_name):
        look(lambda: context.aws.dynamodb.delete_table(TableName=table_name), _ABSENT)
        context.until(lambda: _describe(context, table_name) is None, what=f"deleting table {table_name}")
        context.say(f"deleted: table {table_name}")
    for key in ("stats-table", "stats-table-arn"):
        context.resources.pop(key, None)


def schema() -> dict[str, Any]:
    """The table but for its name and tags: one key, billed by request."""
    return {
        "KeySchema": [{"AttributeName": "StatID", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "StatID", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def _describe(context: Context, table_name: str) -> TableDescriptionTypeDef | None:
    answer = look(lambda: context.aws.dynamodb.describe_table(TableName=table_name), _ABSENT)
    return answer["Table"] if answer else None


def _wait_until_active(context: Context, table_name: str) -> TableDescriptionTypeDef:
    def active() -> TableDescriptionTypeDef | None:
        table = _describe(context, table_name)
        return table if table and table["TableStatus"] == "ACTIVE" else None

    table: TableDescriptionTypeDef = context.until(active, what=f"table {table_name} is not ready")
    return table


def _let_markers_expire(context: Context, table_name: str) -> None:
    dynamodb = context.aws.dynamodb
    present = dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    if present.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        dynamodb.update_time_to_live(
            TableName=table_name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ExpiresAt"}
        )


def _tags(context: Context) -> Any:
    return tag_list(context.tags)


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
