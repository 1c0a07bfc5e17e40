"""Reading the table newest first: the index `Newest`, all of its shards at once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pipeline.aws_errors import retried
from pipeline.gallery import Page, Place, Slice, page_of
from pipeline.records import NEWEST_INDEX, SHARDS, decode_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class NewestImages:
    """The images of one table in the order in which they were finished, the newest first."""

    def __init__(self, dynamodb: DynamoDBClient, table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name
        self._pool = ThreadPoolExecutor(max_workers=len(SHARDS), thread_name_prefix="shard")

    def page(self, limit: int, start: Place | None = None) -> Page:
        """At most `limit` images from `start` on, out of at most 4·(limit + 1) items read.

        Raises RetryError for whatever DynamoDB may answer better later.
        """
        slices = self._pool.map(lambda shard: self._slice(shard, limit, start), SHARDS)
        return page_of(dict(zip(SHARDS, slices, strict=True)), limit, start=start)

    def _slice(self, shard: str, limit: int, start: Place | None) -> Slice:
        # One more than the page can show: it tells a page that ends the gallery from one that does not.
        with retried(f"Query {NEWEST_INDEX} {shard}"):
            answer = self._dynamodb.query(
                TableName=self._table_name,
                IndexName=NEWEST_INDEX,
                ScanIndexForward=False,
                Limit=limit + 1,
                **_from(shard, start),
            )
        return Slice([decode_item(item) for item in answer["Items"]], more="LastEvaluatedKey" in answer)


def _from(shard: str, start: Place | None) -> Mapping[str, Any]:
    """The part of a Query that says where in its shard it begins."""
    if start is None:
        return {"KeyConditionExpression": "Feed = :feed", "ExpressionAttributeValues": {":feed": {"S": shard}}}
    begin: dict[str, Any] = {
        "KeyConditionExpression": "Feed = :feed AND ProcessedAt <= :start",
        "ExpressionAttributeValues": {":feed": {"S": shard}, ":start": {"S": start.at}},
    }
    if shard in start.last:
        # Only among images of the same time does the index need to be told which one came last.
        position = {"Feed": shard, "ProcessedAt": start.at, "ImageID": start.last[shard]}
        begin["ExclusiveStartKey"] = {name: {"S": value} for name, value in position.items()}
    return begin
