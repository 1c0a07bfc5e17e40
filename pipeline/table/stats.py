"""The table of totals, fed by the stream of the metadata table.

Streams deliver each change at least once, and a function may die between writing and saying so. So the totals and a
marker for every change that they take in are written in one transaction: a change whose marker is there is counted.
Markers go by themselves after two days; a stream keeps its changes for one.
"""

from __future__ import annotations

import random
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws_errors import code_of, retried
from pipeline.errors import RetryError
from pipeline.table.counting import Change, Counts, Totals
from pipeline.table.records import decode_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: A transaction takes 100 actions: the totals and this many markers.
MOST_CHANGES = 99
#: An expression may have 4 KB, of which a name takes up to 12 bytes.
_MOST_NAMES = 330
#: Items over which the totals are spread: functions that count at the same time seldom meet at the same one.
TOTALS = ("totals-0", "totals-1", "totals-2", "totals-3")
MARKER_SECONDS = 48 * 3600
#: How often a transaction is tried anew because another one was at the same item; then the stream comes again.
_TRIES = 6
_CONFLICTS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class Stats:
    """The totals of one table. Every method raises RetryError for whatever DynamoDB may answer better later."""

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        table_name: str,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name
        self._now = now
        self._sleep = sleep

    def read(self) -> Totals:
        """The totals as they are now."""
        keys: Any = [{"StatID": {"S": name}} for name in TOTALS]
        with retried(f"BatchGetItem {self._table_name}"):
            answer = self._dynamodb.batch_get_item(
                RequestItems={self._table_name: {"Keys": keys, "ConsistentRead": True}}
            )
        if answer.get("UnprocessedKeys"):
            raise RetryError(f"BatchGetItem {self._table_name}: not all of it was read")
        counts: Counts = Counter()
        for item in answer["Responses"].get(self._table_name, ()):
            counts.update({name: int(value) for name, value in decode_item(item).items() if name != "StatID"})
        return Totals(counts)

    def count(self, changes: Iterable[Change]) -> int:
        """Take in those changes that are not counted yet; how many that were."""
        # The same change may come twice in one batch; one that touches no total needs no marker either.
        open_changes = list({change.event_id: change for change in changes if change.counts}.values())
        counted = 0
        while open_changes:
            size = _fitting(open_changes)
            part, open_changes = open_changes[:size], open_changes[size:]
            counted += self._count_once(part)
        return counted

    def _count_once(self, changes: Sequence[Change]) -> int:
        for attempt in range(_TRIES):
            if not changes:
                return 0
            reasons = self._write(changes)
            if reasons is None:
                return len(changes)
            # The first reason is that of the totals; the others stand in the order of the changes.
            markers = zip(changes, reasons[1:], strict=True)
            fresh = [change for change, reason in markers if reason != "ConditionalCheckFailed"]
            if len(fresh) == len(changes):
                self._sleep(random.uniform(0, 0.05 * 2**attempt))
            changes = fresh
        raise RetryError(f"TransactWriteItems {self._table_name}: others write to it all the time")

    def _write(self, changes: Sequence[Change]) -> list[str] | None:
        """Add the changes to the totals; None where that was done, else why not, for each action."""
        actions = [self._addition(changes), *(self._marker(change) for change in changes)]
        with retried(f"TransactWriteItems {self._table_name}"):
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
            except ClientError as error:
                return _reasons(error)
        return None

    def _addition(self, changes: Sequence[Change]) -> Any:
        counts: Counts = Counter()
        for change in changes:
            # Not `+`, which drops what is not above zero.
            counts.update(change.counts)
        names = {f"#n{at}": name for at, name in enumerate(sorted(counts))}
        additions = {f":n{at}": {"N": str(counts[name])} for at, name in enumerate(sorted(counts))}
        return {
            "Update": {
                "TableName": self._table_name,
                "Key": {"StatID": {"S": TOTALS[zlib.crc32(changes[0].event_id.encode()) % len(TOTALS)]}},
                "UpdateExpression": "ADD " + ", ".join(f"#n{at} :n{at}" for at in range(len(counts))),
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": additions,
            }
        }

    def _marker(self, change: Change) -> Any:
        expires = int(self._now()) + MARKER_SECONDS
        return {
            "Put": {
                "TableName": self._table_name,
                "Item": {"StatID": {"S": f"change-{change.event_id}"}, "ExpiresAt": {"N": str(expires)}},
                "ConditionExpression": "attribute_not_exists(StatID)",
            }
        }


def _fitting(changes: Sequence[Change]) -> int:
    """How many of them one transaction takes: each is an action, and each total that it names makes it longer."""
    named: set[str] = set()
    for at, change in enumerate(changes[:MOST_CHANGES]):
        named |= change.counts.keys()
        if at and len(named) > _MOST_NAMES:
            return at
    return min(len(changes), MOST_CHANGES)


def _reasons(error: ClientError) -> list[str]:
    """Why a transaction was cancelled, action by action; raises the error where that is not what happened to it."""
    reasons: Any = error.response.get("CancellationReasons", ())
    codes = [str(reason.get("Code")) for reason in reasons]
    known = {"None", "ConditionalCheckFailed", *_CONFLICTS}
    if code_of(error) != "TransactionCanceledException" or not codes or not set(codes) <= known:
        raise error
    return codes
