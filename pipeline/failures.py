"""The records of images that failed, with their reasons: found through the sparse index, read from the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.aws_errors import retried
from pipeline.items import PROBLEMS_INDEX, SHARDS
from pipeline.job import Outcome
from pipeline.records import decode_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FIELDS = ("ImageID", "Outcome", "ErrorCode", "ErrorMessage", "ProcessedAt")
#: BatchGetItem takes so many keys at once.
_BATCH = 100


@dataclass(frozen=True)
class Failure:
    """Why one image failed, and when."""

    image_id: str
    code: str
    reason: str
    processed_at: str


def failures(dynamodb: DynamoDBClient, table_name: str) -> list[Failure]:
    """All images that are FAILED now, in order of their keys. Raises RetryError as the edges do."""
    keys = list(_failed_keys(dynamodb, table_name))
    batches = (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))
    items = [item for batch in batches for item in _read(dynamodb, table_name, batch)]
    # The index follows the table with a delay: the record read from the table is the one that counts.
    found = [_failure(item) for item in items if item.get("Outcome") == Outcome.FAILED]
    return sorted(found, key=lambda failure: failure.image_id)


def _failed_keys(dynamodb: DynamoDBClient, table_name: str) -> Iterator[str]:
    for shard in SHARDS:
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table_name,
            IndexName=PROBLEMS_INDEX,
            KeyConditionExpression="Failing = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            ProjectionExpression="ImageID",
        )
        with retried(f"Query {table_name}/{PROBLEMS_INDEX}"):
            for page in pages:
                yield from (item["ImageID"]["S"] for item in page.get("Items", []))


def _read(dynamodb: DynamoDBClient, table_name: str, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The items of at most 100 keys; the reason of a failure is in the table only, never in an index."""
    wanted: Any = {
        "Keys": [{"ImageID": {"S": key}} for key in keys],
        "ConsistentRead": True,
        "ProjectionExpression": ", ".join(_FIELDS),
    }
    while wanted:
        with retried(f"BatchGetItem {table_name}"):
            answer = dynamodb.batch_get_item(RequestItems={table_name: wanted})
        yield from map(decode_item, answer["Responses"].get(table_name, []))
        wanted = answer.get("UnprocessedKeys", {}).get(table_name)


def _failure(item: dict[str, Any]) -> Failure:
    texts = {name: str(item.get(name, "")) for name in _FIELDS}
    return Failure(texts["ImageID"], texts["ErrorCode"], texts["ErrorMessage"], texts["ProcessedAt"])
