from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import ministack.services.dynamodb as real
import pytest
from ministack.core.responses import AccountRegionScopedDict

from local_cloud.stream_positions import forget, restore, unread

TABLE = ("000000000000", "us-east-1", "ImageMetadata")
STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/ImageMetadata/stream/2026-01-01T00:00:00.000"


class Scoped:
    """The part of MiniStack's dictionaries that is used: keys are (account, region, name)."""

    def __init__(self, **values: Any) -> None:
        self._data = {(*TABLE[:2], name): value for name, value in values.items()}

    def set_scoped(self, account: str, region: str, name: str, value: Any) -> None:
        self._data[account, region, name] = value


def dynamodb(records: list[str], *, trimmed: int = 0) -> SimpleNamespace:
    return SimpleNamespace(_stream_records=Scoped(ImageMetadata=records), _stream_trimmed=Scoped(ImageMetadata=trimmed))


def mappings(**positions: int) -> SimpleNamespace:
    return SimpleNamespace(
        _dynamodb_stream_positions=Scoped(**positions),
        _esms=Scoped(**{mapping_id: {"EventSourceArn": STREAM} for mapping_id in positions}),
    )


def after_restart(saved: dict[str, Any]) -> tuple[int, list[str]]:
    """How many records came before, and the records, in a server that has just started."""
    fresh = SimpleNamespace(_stream_records=Scoped(), _stream_trimmed=Scoped())
    restore(fresh, saved)
    return fresh._stream_trimmed._data[TABLE], fresh._stream_records._data[TABLE]


def test_records_that_nobody_has_read_keep_their_positions():
    saved = unread(dynamodb(["0", "1", "2"]), mappings(counting=1))

    assert after_restart(saved) == (1, ["1", "2"])


def test_the_slowest_mapping_decides():
    saved = unread(dynamodb(["0", "1", "2"]), mappings(fast=3, slow=2))

    assert after_restart(saved) == (2, ["2"])


def test_what_everybody_has_read_is_not_kept_but_counted():
    saved = unread(dynamodb(["7", "8"], trimmed=7), mappings(counting=9))

    assert after_restart(saved) == (9, [])


def test_a_mapping_behind_the_oldest_record_gets_all_there_are():
    saved = unread(dynamodb(["7", "8"], trimmed=7), mappings(counting=3))

    assert after_restart(saved) == (7, ["7", "8"])


def test_without_a_mapping_nothing_is_kept():
    assert after_restart(unread(dynamodb(["0", "1"]), mappings())) == (2, [])


def test_a_first_start_has_nothing_to_restore():
    restore(SimpleNamespace(), None)


@pytest.mark.parametrize(
    ("positions", "trimmed", "left"),
    [
        pytest.param({"fast": 90, "slow": 60}, 0, (60, 40), id="what-both-have-read-goes"),
        pytest.param({"counting": 110}, 50, (110, 40), id="positions-count-from-the-very-first"),
        pytest.param({"counting": 49}, 0, (0, 100), id="more-are-unread-than-would-go"),
        pytest.param({"counting": 60, "not begun": 0}, 0, (0, 100), id="one-has-read-nothing"),
        pytest.param({"counting": 20}, 50, (50, 100), id="one-is-behind-the-oldest"),
        pytest.param({}, 0, (0, 100), id="nobody-reads"),
    ],
)
def test_records_that_everybody_has_read_are_let_go_of_and_positions_stay(positions, trimmed, left):
    stream = dynamodb([str(number) for number in range(100)], trimmed=trimmed)

    forget(stream, mappings(**positions), most=50)

    assert (stream._stream_trimmed._data[TABLE], len(stream._stream_records._data[TABLE])) == left


def test_few_records_are_kept_although_everybody_has_read_them():
    stream = dynamodb(["0", "1", "2"])

    forget(stream, mappings(counting=3))

    assert stream._stream_records._data[TABLE] == ["0", "1", "2"]


@pytest.mark.parametrize("position", range(0, 100, 10))
def test_who_reads_a_stream_at_that_very_moment_passes_none_over(monkeypatch, position):
    numbers, readers = [str(number) for number in range(100)], mappings(counting=position)
    account, region, table = TABLE

    class Interrupted(AccountRegionScopedDict):  # type: ignore[misc]
        """Records are let go of just after somebody has asked how many have gone."""

        def get_scoped(self, *scope: Any) -> Any:
            count = super().get_scoped(*scope)
            forget(real, readers, most=5)
            return count

    monkeypatch.setattr(real, "_stream_records", AccountRegionScopedDict())
    monkeypatch.setattr(real, "_stream_trimmed", Interrupted())
    real._stream_records.set_scoped(account, region, table, [{"number": number} for number in numbers])
    real._stream_trimmed.set_scoped(account, region, table, 0)
    seen = numbers[:position]
    while len(seen) < len(numbers):
        batch = real.stream_records_since(table, len(seen), 7, account_id=account, region=region)
        seen.extend(record["number"] for record in batch)
        readers._dynamodb_stream_positions._data[(account, region, "counting")] = len(seen)

    assert seen == numbers
    assert real._trimmed_count(table, account, region) > 0
