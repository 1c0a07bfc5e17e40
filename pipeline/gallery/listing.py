"""Reading the table for the gallery: the right index for each question, all of its shards at once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.aws_errors import retried
from pipeline.gallery.pages import Item, Page, Place, Slice, page_of
from pipeline.gallery.wanted import ALL, Order, Wanted
from pipeline.job import Outcome
from pipeline.table.items import BY_KEY_INDEX, NEWEST_INDEX, PROBLEMS_INDEX, SHARDS
from pipeline.table.records import decode_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ImageList:
    """The images of one table, page by page and one by one."""

    def __init__(self, dynamodb: DynamoDBClient, table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name
        self._pool = ThreadPoolExecutor(max_workers=len(SHARDS), thread_name_prefix="shard")

    def page(self, limit: int, start: Place | None = None, wanted: Wanted = ALL) -> Page:
        """At most `limit` images from `start` on, out of one index page of at most limit + 1 items in each shard.

        What the index cannot select by itself is left out among these, so a page may be short, even empty, and still
        have an end from which to go on. Raises RetryError for whatever DynamoDB may answer better later.
        """
        slices = self._pool.map(lambda shard: self._slice(shard, limit, start, wanted), SHARDS)
        return page_of(dict(zip(SHARDS, slices, strict=True)), limit, start=start, wanted=wanted)

    def image(self, image_id: str) -> Item | None:
        """The item of one image, or None; one that only users wrote to is no image."""
        with retried(f"GetItem {image_id!r}"):
            answer = self._dynamodb.get_item(TableName=self._table_name, Key={"ImageID": {"S": image_id}})
        item = decode_item(answer.get("Item", {}))
        return item if "ProcessedAt" in item else None

    def _slice(self, shard: str, limit: int, start: Place | None, wanted: Wanted) -> Slice:
        # One more than the page can show: it tells a page that ends the gallery from one that does not.
        request = query(shard, start, wanted)
        with retried(f"Query {request['IndexName']} {shard}"):
            answer = self._dynamodb.query(TableName=self._table_name, Limit=limit + 1, **request)
        end = answer.get("LastEvaluatedKey")
        return Slice([decode_item(item) for item in answer["Items"]], decode_item(end) if end else None)


def query(shard: str, start: Place | None, wanted: Wanted) -> Mapping[str, Any]:
    """The Query that reads one shard from `start` on, but for the table and how much of it."""
    index_name, partition_key = _index(wanted)
    terms = _Terms()
    terms.add(f"{partition_key} = :shard", shard=shard)
    request: dict[str, Any] = {"IndexName": index_name, "ScanIndexForward": not wanted.order.descending}
    if wanted.order is Order.NAME:
        _range_of_keys(terms, wanted)
    else:
        _range_of_times(terms, start, wanted)
    request |= {"KeyConditionExpression": str(terms)}
    filters = _filters(wanted)
    if filters:
        request["FilterExpression"] = str(filters)
    request["ExpressionAttributeValues"] = {**terms.values, **filters.values}
    position = _position(shard, start, wanted)
    if position:
        position = {partition_key: shard, **position}
        request["ExclusiveStartKey"] = {name: {"S": value} for name, value in position.items()}
    return request


@dataclass
class _Terms:
    """Conditions that must all hold, with their values as DynamoDB spells them."""

    conditions: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, condition: str, **values: str | int) -> None:
        self.conditions.append(condition)
        for name, value in values.items():
            self.values[f":{name}"] = {"S": value} if isinstance(value, str) else {"N": str(value)}

    def __str__(self) -> str:
        return " AND ".join(self.conditions)

    def __bool__(self) -> bool:
        return bool(self.conditions)


def _index(wanted: Wanted) -> tuple[str, str]:
    """The index that answers with the least reading, and the name of its partition key."""
    if wanted.order is Order.NAME:
        return BY_KEY_INDEX, "Feed"
    if wanted.outcome is Outcome.FAILED:
        return PROBLEMS_INDEX, "Failing"
    return NEWEST_INDEX, "Feed"


def _range_of_keys(terms: _Terms, wanted: Wanted) -> None:
    if wanted.prefix:
        terms.add("begins_with(ImageID, :prefix)", prefix=wanted.prefix)


def _range_of_times(terms: _Terms, start: Place | None, wanted: Wanted) -> None:
    """The times to read; a sort key takes one condition only, so where a page ended narrows what was asked for."""
    low, high = wanted.since, wanted.until
    if start and wanted.order.descending:
        high = start.at
    elif start:
        low = start.at
    if low is not None and high is not None:
        terms.add("ProcessedAt BETWEEN :low AND :high", low=low, high=high)
    elif low is not None:
        terms.add("ProcessedAt >= :low", low=low)
    elif high is not None:
        terms.add("ProcessedAt <= :high", high=high)


def _filters(wanted: Wanted) -> _Terms:
    """What the index in use cannot select by itself."""
    by_name = wanted.order is Order.NAME
    terms = _Terms()
    if wanted.prefix and not by_name:
        terms.add("begins_with(ImageID, :prefix)", prefix=wanted.prefix)
    if wanted.since and by_name:
        terms.add("ProcessedAt >= :since", since=wanted.since)
    if wanted.until and by_name:
        terms.add("ProcessedAt <= :until", until=wanted.until)
    if wanted.outcome and (by_name or wanted.outcome is not Outcome.FAILED):
        terms.add("Outcome = :outcome", outcome=str(wanted.outcome))
    if wanted.format:
        terms.add("ImageFormat = :format", format=wanted.format)
    if wanted.min_bytes is not None:
        terms.add("OriginalBytes >= :min", min=wanted.min_bytes)
    if wanted.max_bytes is not None:
        terms.add("OriginalBytes < :max", max=wanted.max_bytes)
    return terms


def _position(shard: str, start: Place | None, wanted: Wanted) -> dict[str, str]:
    """After which item of the index to begin, where a range alone does not say it."""
    if start is None:
        return {}
    if wanted.order is Order.NAME:
        # Keys differ from each other, so that of any shard says where to go on in all of them.
        return {"ImageID": start.at}
    if shard in start.last:
        # Only among images of the same time does the index need to be told which one came last.
        return {"ProcessedAt": start.at, "ImageID": start.last[shard]}
    return {}
