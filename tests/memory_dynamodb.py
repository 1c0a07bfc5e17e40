"""DynamoDB as far as the gallery reads and counts with it, in memory, with its limits: pages of 1 MB, 100 actions."""

from __future__ import annotations

import bisect
import random
from collections.abc import Iterable, Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

MOST_ACTIONS = 100
#: Bytes of an expression.
LONGEST_EXPRESSION = 4096
PAGE_BYTES = 1_000_000

Item = dict[str, Any]
_decode, _encode = TypeDeserializer().deserialize, TypeSerializer().serialize


class MemoryTotals:
    """The table of totals: transactions, with lost answers and conflicts as often as `luck` says."""

    def __init__(self, *, luck: random.Random | None = None, trouble: float = 0.0) -> None:
        self.items: dict[str, Item] = {}
        self._luck = luck or random.Random(0)
        self._trouble = trouble

    def transact_write_items(self, *, TransactItems: list[Any]) -> None:
        assert 0 < len(TransactItems) <= MOST_ACTIONS
        expressions = [action["Update"]["UpdateExpression"] for action in TransactItems if "Update" in action]
        assert all(len(expression) <= LONGEST_EXPRESSION for expression in expressions)
        keys = [_key_of(action) for action in TransactItems]
        assert len(set(keys)) == len(keys), "a transaction names no item twice"
        if self._luck.random() < self._trouble:
            self._cancel(["TransactionConflict"] + ["None"] * (len(keys) - 1))
        taken = ["Put" in action and key in self.items for action, key in zip(TransactItems, keys, strict=True)]
        if any(taken):
            self._cancel(["ConditionalCheckFailed" if one else "None" for one in taken])
        for action, key in zip(TransactItems, keys, strict=True):
            self._put(key, action["Put"]) if "Put" in action else self._add(key, action["Update"])
        if self._luck.random() < self._trouble:
            raise ConnectionError("it was written, and the answer was lost")

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((table, request),) = RequestItems.items()
        keys = [key["StatID"]["S"] for key in request["Keys"]]
        found = [self.items[key] for key in keys if key in self.items]
        return {"Responses": {table: [_encoded(item) for item in found]}, "UnprocessedKeys": {}}

    def _put(self, key: str, put: Any) -> None:
        assert put["ConditionExpression"] == "attribute_not_exists(StatID)"
        self.items[key] = {name: _decode(value) for name, value in put["Item"].items()}

    def _add(self, key: str, update: Any) -> None:
        item = self.items.setdefault(key, {"StatID": key})
        names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
        for term in update["UpdateExpression"].removeprefix("ADD ").split(", "):
            name, value = term.split()
            item[names[name]] = item.get(names[name], 0) + _decode(values[value])

    def _cancel(self, codes: Iterable[str]) -> None:
        response: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "…"},
            "CancellationReasons": [{"Code": code} for code in codes],
        }
        raise ClientError(response, "TransactWriteItems")


def _key_of(action: Mapping[str, Any]) -> str:
    if "Put" in action:
        return str(action["Put"]["Item"]["StatID"]["S"])
    return str(action["Update"]["Key"]["StatID"]["S"])


def _encoded(item: Item) -> dict[str, Any]:
    return {name: _encode(value) for name, value in item.items()}


class MemoryIndex:
    """One index of a big table, for unfiltered questions: sorted once, read by pages as DynamoDB reads them."""

    def __init__(self, items: Iterable[Item], partition_key: str, sort_key: str, *, item_bytes: int) -> None:
        self._sort_key = sort_key
        self._item_bytes = item_bytes
        self._shards: dict[str, list[Item]] = {}
        for item in items:
            self._shards.setdefault(item[partition_key], []).append(item)
        for shard in self._shards.values():
            shard.sort(key=self._position)
        self.evaluated = 0

    def query(self, **request: Any) -> dict[str, Any]:
        assert "FilterExpression" not in request
        values = {name: _decode(value) for name, value in request["ExpressionAttributeValues"].items()}
        items = self._shards.get(values[":shard"], [])
        assert not request["ScanIndexForward"], "this one is read from its end"
        end = len(items)
        if ":high" in values:
            end = bisect.bisect_right(items, values[":high"], key=lambda item: item[self._sort_key])
        if "ExclusiveStartKey" in request:
            start = {name: _decode(value) for name, value in request["ExclusiveStartKey"].items()}
            end = bisect.bisect_left(items, self._position(start), key=self._position)
        most = min(request["Limit"], PAGE_BYTES // self._item_bytes)
        page = items[max(0, end - most) : end][::-1]
        self.evaluated += len(page)
        answer: dict[str, Any] = {"Items": [_encoded(item) for item in page]}
        if end > most:
            keys = ("Feed", self._sort_key, "ImageID")
            answer["LastEvaluatedKey"] = _encoded({name: page[-1][name] for name in keys})
        return answer

    def _position(self, item: Item) -> tuple[str, str]:
        return item[self._sort_key], item["ImageID"]
