"""Creates the table ImageMetadata with its indexes and its stream."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING, Any

from cli import names
from setup_scripts.context import Context
from setup_scripts.table_indexes import ensure_indexes
from setup_scripts.tables import delete_table, ensure_table, wait_until_active

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

_STREAM: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def create(context: Context) -> None:
    table = ensure_table(context, context.suffixed(names.TABLE), schema())
    _enable_stream(context, table)
    ensure_indexes(context, table["TableName"], schema())
    context.resources["dynamodb-table"] = table["TableName"]
    context.resources["dynamodb-table-arn"] = table["TableArn"]


def delete(context: Context) -> None:
    delete_table(context, context.suffixed(names.TABLE))
    for key in ("dynamodb-table", "dynamodb-table-arn"):
        context.resources.pop(key, None)


def schema() -> dict[str, Any]:
    """The table but for its name and tags: `ImageID` alone is the key; three indexes; billed by request."""
    from pipeline.table.items import BY_KEY_INDEX, NEWEST_INDEX, PROBLEMS_INDEX

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
    from pipeline.table.items import CAPTURE_FIELDS, PUBLIC_FIELDS

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


def _enable_stream(context: Context, table: TableDescriptionTypeDef) -> None:
    if table.get("StreamSpecification", {}).get("StreamEnabled"):
        return
    table_name = table["TableName"]
    context.aws.dynamodb.update_table(TableName=table_name, StreamSpecification=_STREAM)
    wait_until_active(context, table_name)


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
