"""The records of images that failed, with their reasons: found through the sparse index, read from the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.job import Outcome
from pipeline.table.items import PROBLEMS_INDEX
from pipeline.table.records import read_index, read_items

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
    failing = read_index(dynamodb, table_name, PROBLEMS_INDEX, "Failing", "ImageID")
    items = read_items(dynamodb, table_name, [item["ImageID"] for item in failing], _FIELDS)
    found = [_failure(item) for item in items.values() if item.get("Outcome") == Outcome.FAILED]
    return sorted(found, key=lambda failure: failure.image_id)


def _failure(item: dict[str, Any]) -> Failure:
    texts = {name: str(item.get(name, "")) for name in _FIELDS}
    return Failure(texts["ImageID"], texts["ErrorCode"], texts["ErrorMessage"], texts["ProcessedAt"])
