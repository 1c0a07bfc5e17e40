"""The records of images that failed, with their reasons: found through the sparse index, read from the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.aws_errors import retried
from pipeline.job import Outcome
from pipeline.table.items import PROBLEMS_INDEX, SHARDS
from pipeline.table.records import read_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FIELDS = ("ImageID", "Outcome", "ErrorCode", "ErrorMessage", "ProcessedAt")


@dataclass(frozen=True)
class Failure:
    """Why one image failed, and when."""

    image_id: str
    code: str
    reason: str
    processed_at: str


def failures(dynamodb: DynamoDBClient, table_name: str) -> list[Failure]:
    """All images that are FAILED now, in order of their keys. Raises RetryError as the edges do."""
    # The index follows the table with a delay, and has no reasons: the record read from the table is what counts.
    items = read_items(dynamodb, table_name, list(_failed_keys(dynamodb, table_name)), _FIELDS)
    found = [_failure(item) for item in items.values() if item.get("Outcome") == Outcome.FAILED]
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


def _failure(item: dict[str, Any]) -> Failure:
    texts = {name: str(item.get(name, "")) for name in _FIELDS}
    return Failure(texts["ImageID"], texts["ErrorCode"], texts["ErrorMessage"], texts["ProcessedAt"])
