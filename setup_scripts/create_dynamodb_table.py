"""Creates the table ImageMetadata with its indexes and its stream."""

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

_STREAM: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def create(context: Context) -> None:
    table_name = context.suffixed(names.TABLE)
    table = _settled_table(context, table_name)
    if table is None:
        context.aws.dynamodb.create_table(TableName=table_name, Tags=_tags(context), **schema())
        context.say(f"created: table {table_name}")
        table = _wait_until_active(context, table_name)
    _tag(context, table)
    _enable_stream(context, table)
    context.resources["dynamodb-table"] = table_name
    context.resources["dynamodb-table-arn"] = table["TableArn"]


def delete(context: Context) -> None:
    table_name = context.suffixed(names.TABLE)
    if _settled_table(context, table_name):
        look(lambda: context.aws.dynamodb.delete_table(TableName=table_name), "ResourceNotFoundException")
        _wait_until_gone(context, table_name)
        context.say(f"deleted: table {table_name}")
    for key in ("dynamodb-table", "dynamodb-table-arn"):
        context.resources.pop(key, None)


def schema() -> dict[str, Any]:
    """The table but for its name and tags: `ImageID` alone is the key; three indexes; billed by request."""
    from pipeline.items import BY_KEY_INDEX, NEWEST_INDEX, PROBLEMS_INDEX

    return {
        "KeySchema": [{"AttributeName": "ImageID", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"}
            for attribute in ("ImageID", "Feed", "Failing", "ProcessedAt")
        ],
        "GlobalSecondaryIndexes": [
            _index(NEWEST_INDEX, "Feed", "ProcessedAt"),
            _index(BY_KEY_INDEX, "Feed", "ImageID"),
            _index(PROBLEMS_INDEX, "Failing", "ProcessedAt"),
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": _STREAM,
    }


def _index(index_name: str, partition_key: str, sort_key: str) -> dict[str, Any]:
    """An index with all that the gallery shows: what an index holds cannot be changed later."""
    from pipeline.items import CAPTURE_FIELDS, PUBLIC_FIELDS

    keys = {"ImageID", partition_key, sort_key}
    held = [field for field in (*PUBLIC_FIELDS, *CAPTURE_FIELDS) if field not in keys]
    return {
        "IndexName": index_name,
        "KeySchema": [
            {"AttributeName": partition_key, "KeyType": "HASH"},
            {"AttributeName": sort_key, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": held},
    }


def _describe(context: Context, table_name: str) -> TableDescriptionTypeDef | None:
    answer = look(lambda: context.aws.dynamodb.describe_table(TableName=table_name), "ResourceNotFoundException")
    return answer["Table"] if answer else None


def _settled_table(context: Context, table_name: str) -> TableDescriptionTypeDef | None:
    """The table, ready for changes, or None. A setup or teardown that died may have left it on the way."""
    table = _describe(context, table_name)
    if table and table["TableStatus"] == "DELETING":
        _wait_until_gone(context, table_name)
        return None
    return _wait_until_active(context, table_name) if table and table["TableStatus"] != "ACTIVE" else table


def _wait_until_gone(context: Context, table_name: str) -> None:
    context.until(lambda: _describe(context, table_name) is None, what=f"deleting table {table_name}")


def _wait_until_active(context: Context, table_name: str) -> TableDescriptionTypeDef:
    def active() -> TableDescriptionTypeDef | None:
        table = _describe(context, table_name)
        return table if table and table["TableStatus"] == "ACTIVE" else None

    table: TableDescriptionTypeDef = context.until(active, what=f"table {table_name} is not ready")
    return table


def _tags(context: Context) -> Any:
    return tag_list(context.tags)


def _tag(context: Context, table: TableDescriptionTypeDef) -> None:
    dynamodb, arn = context.aws.dynamodb, table["TableArn"]
    present: list[Any] = list(dynamodb.list_tags_of_resource(ResourceArn=arn).get("Tags", []))
    if any(tag not in present for tag in _tags(context)):
        dynamodb.tag_resource(ResourceArn=arn, Tags=_tags(context))


def _enable_stream(context: Context, table: TableDescriptionTypeDef) -> None:
    if table.get("StreamSpecification", {}).get("StreamEnabled"):
        return
    table_name = table["TableName"]
    context.aws.dynamodb.update_table(TableName=table_name, StreamSpecification=_STREAM)
    _wait_until_active(context, table_name)


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
