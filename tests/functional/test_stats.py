"""Totals that are right whatever happens on the way: retries, batches of any size, changes by users."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from pipeline.errors import RetryError
from pipeline.gallery.listing import ImageList
from pipeline.table.counting import Change, Counts, counts_of
from pipeline.table.items import feed_of
from pipeline.table.stats import MARKER_SECONDS, Stats
from tests.memory_dynamodb import MemoryIndex, MemoryTotals

FORMATS = ("JPEG", "PNG", "WEBP")


def image(number: int, luck: random.Random) -> dict[str, Any]:
    outcome = "FAILED" if luck.random() < 0.05 else "DONE"
    before = luck.randrange(1, 10**7)
    return {
        "ImageID": f"{number:06}.jpg",
        "Outcome": outcome,
        "OriginalBytes": Decimal(before),
        "CompressedBytes": Decimal(luck.randrange(before + 1)),
        "ImageFormat": luck.choice(FORMATS),
        "ProcessedAt": f"2026-{luck.randrange(1, 13):02}-01T00:00:00.{number:06}Z",
    }


def changes_of_a_table(number: int, luck: random.Random, table: dict[int, dict[str, Any]]) -> Iterator[Change]:
    """`number` images come; some change, get notes from users, or go again. `table` is left as it ends."""
    for at in range(number):
        table[at] = image(at, luck)
        yield Change(f"put-{at}", None, table[at])
        other = luck.randrange(at + 1)
        if other not in table:
            continue
        before = table[other]
        what = luck.random()
        if what < 0.1:
            table[other] = image(other, luck)
            yield Change(f"again-{at}", before, table[other])
        elif what < 0.15:
            table[other] = {**before, "Note": "mine", "OriginalBytes": Decimal(luck.randrange(10**6))}
            yield Change(f"user-{at}", before, table[other])
        elif what < 0.2:
            del table[other]
            yield Change(f"gone-{at}", before, None)


def redelivered(changes: list[Change], luck: random.Random) -> Iterator[list[Change]]:
    """Batches of all sizes, some of them twice, and some beginning with what the one before had already."""
    at = 0
    while at < len(changes):
        size = luck.choice((1, 7, 50, 99))
        back = luck.choice((0, 0, 0, min(at, 30)))
        yield changes[at - back : at + size]
        at += size


def stats_over(store: Any) -> Stats:
    return Stats(cast(Any, store), "ImageStats", now=lambda: 1000.0, sleep=lambda _: None)


def deliver(stats: Stats, batch: list[Change]) -> None:
    """As a stream does: until the function ends well."""
    for _ in range(100):
        try:
            stats.count(batch)
            return
        except (RetryError, ConnectionError):
            continue
    pytest.fail("the batch was never taken in")


@pytest.mark.parametrize("number", [0, 1, 1_000, 100_000])
def test_totals_are_those_of_the_table_after_retries_redeliveries_and_changes_by_users(number):
    luck = random.Random(number)
    table: dict[int, dict[str, Any]] = {}
    changes = list(changes_of_a_table(number, luck, table))
    stats = stats_over(MemoryTotals(luck=luck, trouble=0.05))

    for batch in redelivered(changes, luck):
        deliver(stats, batch)

    expected: Counts = Counts()
    for item in table.values():
        expected.update(counts_of(item))
    totals = stats.read()
    assert {name: count for name, count in totals.counts.items() if count} == dict(expected)


def test_a_change_that_comes_twice_counts_once():
    store = MemoryTotals()
    stats = stats_over(store)
    change = Change("1", None, image(1, random.Random(1)))

    assert stats.count([change, change]) == 1
    assert stats.count([change]) == 0
    assert store.items["change-1"]["ExpiresAt"] == 1000 + MARKER_SECONDS


def test_more_changes_than_one_transaction_takes_are_all_counted():
    stats = stats_over(MemoryTotals())
    luck = random.Random(3)

    assert stats.count(Change(str(number), None, image(number, luck)) for number in range(250)) == 250
    assert sum(stats.read().counts[name] for name in ("Images", "Problems")) == 250


def test_an_expression_is_never_longer_than_dynamodb_takes():
    stats = stats_over(MemoryTotals())

    assert stats.count([Change(str(at), unlike(at), unlike(at + 5_000)) for at in range(99)]) == 99

    assert stats.read().counts["Format_F5098"] == 1


def unlike(number: int) -> dict[str, Any]:
    """A record as users may make it: in a format and a month of its own."""
    return {"Outcome": "DONE", "ImageFormat": f"F{number}", "ProcessedAt": f"{number:04}-01-01T00:00:00Z"}


def test_what_touches_no_total_leaves_no_marker():
    store = MemoryTotals()
    item = image(1, random.Random(1))

    assert stats_over(store).count([Change("1", item, {**item, "Note": "mine"})]) == 0
    assert store.items == {}


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_table_that_is_written_to_all_the_time_makes_the_stream_come_again(code):
    class Busy:
        def transact_write_items(self, *, TransactItems: list[Any]) -> None:
            reasons = [{"Code": code}] + [{"Code": "None"}] * (len(TransactItems) - 1)
            response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(response, "TransactWriteItems")

    with pytest.raises(RetryError):
        stats_over(Busy()).count([Change("1", None, image(1, random.Random(1)))])


def test_a_refusal_that_nobody_foresaw_is_not_taken_for_counted():
    class Broken:
        def transact_write_items(self, *, TransactItems: list[Any]) -> None:
            reasons = [{"Code": "ValidationError"}] + [{"Code": "ConditionalCheckFailed"}] * (len(TransactItems) - 1)
            response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(response, "TransactWriteItems")

    with pytest.raises(RetryError, match="TransactionCanceled"):
        stats_over(Broken()).count([Change("1", None, image(1, random.Random(1)))])


def test_a_page_of_a_hundred_thousand_images_is_read_as_one_of_a_hundred():
    items = [
        {"ImageID": f"{number}.jpg", "Feed": feed_of(f"{number}.jpg"), "ProcessedAt": f"2026-01-01T{number:06}Z"}
        for number in range(100_000)
    ]
    index = MemoryIndex(items, "Feed", "ProcessedAt", item_bytes=1000)
    images = ImageList(cast(Any, index), "ImageMetadata")
    seen: list[str] = []
    start = None

    for _ in range(20):
        index.evaluated = 0
        page = images.page(100, start)
        assert index.evaluated <= 4 * 101
        seen += [item["ImageID"] for item in page.items]
        start = page.end

    assert seen == [f"{number}.jpg" for number in range(99_999, 97_999, -1)]
