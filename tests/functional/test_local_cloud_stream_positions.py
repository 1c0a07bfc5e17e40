from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from local_cloud.stream_positions import restore, unread

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
