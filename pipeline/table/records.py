"""The metadata table: one item per image, changed only on condition that it is still the one that was read.

Items are written by UpdateItem, never PutItem: `Note`, and whatever else users add by PartiQL, is theirs and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws_errors import code_of, retried
from pipeline.job import Record
from pipeline.table.items import OWNED, SHARDS, from_item, to_item
from pipeline.table.typed_values import decode, encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: What tells a record from the one that stood there before or after.
_TELLING = ("ProcessedAt", "OptionsHash", "ETag", "VersionId")
#: BatchGetItem takes so many keys at once.
_BATCH = 100


class Records:
    """The records of one table. Every method raises RetryError for whatever DynamoDB may answer better later."""

    def __init__(self, dynamodb: DynamoDBClient, table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name

    def get(self, image_id: str) -> Record | None:
        """The record as it is now (a consistent read), or None; an item that only users wrote to is no record."""
        with retried(f"GetItem {image_id!r}"):
            answer = self._dynamodb.get_item(
                TableName=self._table_name, Key={"ImageID": {"S": image_id}}, ConsistentRead=True
            )
        typed = answer.get("Item", {})
        if "ProcessedAt" not in typed:
            return None
        return replace(from_item(decode_item(typed)), seen=_telling(typed))

    def put(self, record: Record, *, replacing: Record | None) -> bool:
        """Write `record` over the one that was read before; False where that is no longer the one in the table."""
        item = to_item(record)
        written = {name: item[name] for name in OWNED if name in item}
        removed = [name for name in OWNED if name not in item]
        condition, seen = _still(replacing)
        values = _encoded({f":{name}": value for name, value in written.items()}) | seen
        update = "SET " + ", ".join(f"{name} = :{name}" for name in written)
        if removed:
            update += " REMOVE " + ", ".join(removed)
        return self._held(
            "UpdateItem",
            self._dynamodb.update_item,
            record,
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )

    def delete(self, record: Record) -> bool:
        """Delete the item if it still holds `record`; False where it holds another or none."""
        condition, seen = _still(record)
        return self._held(
            "DeleteItem",
            self._dynamodb.delete_item,
            record,
            ConditionExpression=condition,
            ExpressionAttributeValues=seen,
        )

    def _held(self, operation: str, write: Callable[..., object], record: Record, **request: Any) -> bool:
        """Whether the condition of `write` held for the item of `record`, so that it was done."""
        with retried(f"{operation} {record.image_id!r}"):
            try:
                write(TableName=self._table_name, Key={"ImageID": {"S": record.image_id}}, **request)
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True


def read_items(
    dynamodb: DynamoDBClient, table_name: str, keys: Collection[str], fields: Collection[str]
) -> dict[str, dict[str, Any]]:
    """The attributes `fields` of those of `keys` that have an item, by key (consistent reads). Raises RetryError."""
    found: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = [{"ImageID": {"S": key}} for key in dict.fromkeys(keys)]
    projection = ", ".join(dict.fromkeys(("ImageID", *fields)))
    while waiting:
        wanted: Any = {"Keys": waiting[:_BATCH], "ConsistentRead": True, "ProjectionExpression": projection}
        with retried(f"BatchGetItem {table_name}"):
            answer = dynamodb.batch_get_item(RequestItems={table_name: wanted})
        items = map(decode_item, answer["Responses"].get(table_name, []))
        found |= {item["ImageID"]: item for item in items}
        left: Any = answer.get("UnprocessedKeys", {}).get(table_name, {})
        waiting = [*left.get("Keys", []), *waiting[_BATCH:]]
    return found


def read_index(
    dynamodb: DynamoDBClient, table_name: str, index: str, feed: str, projection: str
) -> Iterator[dict[str, Any]]:
    """Every item that an index has, in all partitions of its key `feed`, as plain values. Raises RetryError."""
    for shard in SHARDS:
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table_name,
            IndexName=index,
            KeyConditionExpression=f"{feed} = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            ProjectionExpression=projection,
        )
        with retried(f"Query {table_name}/{index}"):
            for page in pages:
                yield from map(decode_item, page.get("Items", []))


def decode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB's typed values as plain ones; numbers become Decimal."""
    return {name: decode(value) for name, value in item.items()}


def _encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: encode(value) for name, value in values.items()}


def _telling(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in _TELLING if name in item}


def _still(record: Record | None) -> tuple[str, dict[str, Any]]:
    """The condition that an item still holds `record`, and the typed values it needs.

    As it was read, whatever a user made of it: only then does it hold for the item that was read.
    """
    if record is None:
        return "attribute_not_exists(ProcessedAt)", {}
    seen = _encoded(_telling(to_item(record))) if record.seen is None else record.seen
    terms = (f"{name} = :seen_{name}" if name in seen else f"attribute_not_exists({name})" for name in _TELLING)
    return " AND ".join(terms), {f":seen_{name}": value for name, value in seen.items()}
