"""What can be asked of the gallery API, in which order, and what cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.table.records import Records
from tests.functional.gallery_on_moto import done_image, failed_image, fill, keys_of, walk


def _put(records: Records, *wanted: tuple[str, int, dict[str, Any]]) -> None:
    for key, second, changes in wanted:
        records.put(replace(done_image(key, second), **changes), replacing=None)


NEWEST_FIRST = ["trees/broken.jpg", "été.jpg", "sea/shore.jpg", "trees/elm.png", "trees/oak.jpg", "sea/waves.jpg"]


@pytest.fixture
def mixed(records: Records) -> None:
    """Six images, one of them a problem, of several folders, formats, sizes and months."""
    _put(
        records,
        ("trees/oak.jpg", 10, {"original_bytes": 100}),
        ("trees/elm.png", 20, {"image_format": "PNG", "original_bytes": 5_000}),
        ("sea/shore.jpg", 30, {"original_bytes": 2_000_000}),
        ("sea/waves.jpg", 40, {"original_bytes": 3_000_000, "processed_at": "2026-02-28T23:59:59.999999Z"}),
        ("été.jpg", 50, {"original_bytes": 10}),
    )
    records.put(failed_image("trees/broken.jpg", 60), replacing=None)


@pytest.mark.parametrize(
    ("parameters", "keys"),
    [
        ({}, NEWEST_FIRST),
        ({"sort": "oldest"}, NEWEST_FIRST[::-1]),
        ({"sort": "name"}, sorted(NEWEST_FIRST)),
        ({"prefix": "trees/"}, ["trees/broken.jpg", "trees/elm.png", "trees/oak.jpg"]),
        ({"prefix": "tre", "sort": "newest"}, ["trees/broken.jpg", "trees/elm.png", "trees/oak.jpg"]),
        ({"prefix": "tre", "sort": "oldest"}, ["trees/oak.jpg", "trees/elm.png", "trees/broken.jpg"]),
        ({"prefix": "é"}, ["été.jpg"]),
        ({"prefix": "Trees"}, []),
        ({"prefix": ""}, NEWEST_FIRST),
        ({"format": "png"}, ["trees/elm.png"]),
        ({"outcome": "FAILED"}, ["trees/broken.jpg"]),
        ({"outcome": "FAILED", "sort": "oldest", "since": "2026-03"}, ["trees/broken.jpg"]),
        ({"outcome": "FAILED", "prefix": "sea"}, []),
        ({"outcome": "DONE", "prefix": "trees/"}, ["trees/elm.png", "trees/oak.jpg"]),
        ({"until": "2026-03"}, ["sea/waves.jpg"]),
        ({"since": "2026-02", "until": "2026-03-01"}, ["sea/waves.jpg"]),
        ({"since": "2026-03-01T00:00:30Z"}, ["trees/broken.jpg", "été.jpg", "sea/shore.jpg"]),
        ({"since": "2026-03-01T01:00:30+01:00", "sort": "oldest"}, ["sea/shore.jpg", "été.jpg", "trees/broken.jpg"]),
        ({"until": "2026-03-01T00:00:30Z", "prefix": "sea"}, ["sea/waves.jpg"]),
        ({"since": "2026-03", "prefix": "sea"}, ["sea/shore.jpg"]),
        ({"min_bytes": "100", "max_bytes": "5000"}, ["trees/oak.jpg"]),
        ({"min_bytes": "2000000", "prefix": "s"}, ["sea/shore.jpg", "sea/waves.jpg"]),
        ({"format": "JPEG", "max_bytes": "101", "since": "2026-03"}, ["été.jpg", "trees/oak.jpg"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 200])
def test_filters_and_orders_show_what_was_asked_for_on_pages_of_any_size(api, mixed, parameters, keys, limit):
    assert keys_of(walk(api, limit, **parameters)) == keys


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"sort": "largest"}, "newest, oldest, name"),
        ({"format": "JP EG"}, "format"),
        ({"format": ""}, "format"),
        ({"outcome": "OK"}, "DONE nor FAILED"),
        ({"since": "yesterday"}, "2026-03-01"),
        ({"since": "2026-13"}, "since"),
        ({"since": "0000-01"}, "since"),
        ({"until": "0001-01-01T00:00+01:00"}, "until"),
        ({"until": "2026-03-01T00:00"}, "until"),
        ({"since": "2026-03", "until": "2026-03"}, "nothing between"),
        ({"min_bytes": "-1"}, "min_bytes"),
        ({"max_bytes": "0"}, "max_bytes"),
        ({"min_bytes": "9" * 400}, "min_bytes"),
        ({"min_bytes": "10", "max_bytes": "10"}, "nothing between"),
        ({"prefix": "x" * 1025}, "1025 bytes"),
        ({"prefix": "界" * 342}, "1026 bytes"),
        ({"prefix": "\ud800"}, "surrogate"),
        ({"fromat": "JPEG"}, "format"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(api, parameters, reason):
    answer = api.call(**parameters)

    assert answer["statusCode"] == 400
    assert reason in json.loads(answer["body"])["detail"]


def test_a_cursor_of_another_question_is_refused(api, mixed):
    cursor = api.get(limit="1")["cursor"]

    assert api.call(limit="1", cursor=cursor, sort="name")["statusCode"] == 400
    assert api.call(limit="1", cursor=cursor, format="JPEG")["statusCode"] == 400
    assert api.call(limit="2", cursor=cursor)["statusCode"] == 200


@pytest.mark.parametrize(
    "parameters", [{"format": "PNG"}, {"prefix": "none"}, {"prefix": "album/05", "sort": "newest"}]
)
def test_filters_read_one_page_of_each_shard_and_lead_on(api, dynamodb, parameters):
    fill(dynamodb, 120)
    evaluated: list[int] = []
    api.after_query(lambda parsed, **_: evaluated.append(parsed["ScannedCount"]))

    body = api.get(limit="5", **parameters)

    assert len(evaluated) == 4 and sum(evaluated) <= 4 * 6
    assert body["cursor"] or parameters == {"prefix": "none"}
