"""Waiting for the records of images that were sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from setup_scripts.sending import Item, Sent

if TYPE_CHECKING:
    from cli.aws import Aws

#: So many records are asked for in one round: a large upload must not become a storm of reads.
_ROUND = 1000
PAUSE = 0.5
#: Seconds without a new result, with nothing waiting in the queue: what is missing now will not come.
IDLE = 15.0
#: The same on AWS, whose counts of messages may be a minute old, and whose events are sometimes late by as much.
IDLE_ON_AWS = 90.0
#: Seconds without a new result although messages wait; the longest pause before a retry is 900.
STALLED = 300.0

_ATTRIBUTES = (
    "Outcome",
    "ErrorCode",
    "ErrorMessage",
    "ETag",
    "VersionId",
    "ProcessedAt",
    "OriginalBytes",
    "CompressedBytes",
    "SavedPercent",
    "ThumbnailURL",
    "CompressedURL",
)


def records(aws: Aws, table: str, keys: Sequence[str]) -> dict[str, Item]:
    """The records of `keys` that exist, by key, read consistently."""
    from pipeline.table.records import read_items

    return {**read_items(aws.dynamodb, table, keys, _ATTRIBUTES)}


def follow(
    sent: Sequence[Sent],
    *,
    read: Callable[[Sequence[str]], Mapping[str, Item]],
    is_queue_empty: Callable[[], bool],
    advance: Callable[[int], None],
    idle: float = IDLE,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Item]:
    """The records of `sent` by key, as they come; those that do not come are left out. `advance` counts them."""
    done: dict[str, Item] = {}
    waiting = list(sent)
    last_news = clock()
    while waiting:
        asked = waiting[:_ROUND]
        items = read([one.key for one in asked])
        answered = [one for one in asked if one.is_answered_by(items.get(one.key))]
        done |= {one.key: items[one.key] for one in answered}
        # Who does not answer goes to the end, or a thousand of them would hide all others.
        waiting = [one for one in (*waiting[_ROUND:], *asked) if one.key not in done]
        if answered:
            advance(len(answered))
            last_news = clock()
        elif _is_hopeless(clock() - last_news, idle, is_queue_empty):
            break
        if waiting:
            sleep(PAUSE)
    return done


def _is_hopeless(silence: float, idle: float, is_queue_empty: Callable[[], bool]) -> bool:
    return silence > STALLED or (silence > idle and is_queue_empty())
