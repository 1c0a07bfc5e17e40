"""What the gallery API tells of one image and of all together, and what it never tells."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from pipeline.table.counting import Change
from pipeline.table.items import CAPTURE_FIELDS, PUBLIC_FIELDS, to_item
from pipeline.table.stats import Stats
from tests.functional.gallery_on_moto import STATS_TABLE, TABLE, Api, done_image, event_named, failed_image


def test_only_public_fields_leave_the_table(api, records, dynamodb):
    records.put(done_image("a.jpg", 2), replacing=None)
    records.put(failed_image("b.jpg", 1), replacing=None)
    update = "UPDATE \"ImageMetadata\" SET Note = 'secret-note' WHERE ImageID = 'a.jpg'"
    dynamodb.execute_statement(Statement=update)

    answer = api.call()
    done, failed = json.loads(answer["body"])["images"]

    assert set(done) <= set(PUBLIC_FIELDS)
    assert "secret" not in answer["body"]
    assert failed["Outcome"] == "FAILED"
    assert failed["ErrorCode"] == "CORRUPT_FILE"
    assert "ThumbnailURL" not in failed


def test_capture_facts_are_shown_where_the_setting_allows_it(dynamodb, records, monkeypatch):
    monkeypatch.setenv("PUBLIC_CAPTURE_FACTS", "true")
    records.put(done_image("a.jpg", 1), replacing=None)

    (image,) = Api().get()["images"]

    assert {name: image[name] for name in CAPTURE_FIELDS} == {
        "TakenAt": "2020-05-05T05:05:05",
        "CameraModel": "secret-camera",
    }


def test_numbers_arrive_as_numbers(api, records):
    records.put(done_image("a.jpg", 1), replacing=None)

    (image,) = json.loads(api.call()["body"], parse_float=Decimal)["images"]

    assert (image["PixelWidth"], image["PixelHeight"], image["OriginalBytes"]) == (1200, 800, 16000)
    assert image["SavedPercent"] == 75
    assert [output["OutputBytes"] for output in image["Outputs"]] == [4000, 4000]


@pytest.mark.parametrize("key", ["a.jpg", "é + 1.jpg", "a b%20c&d=e?#.png", "<script>.jpg", "x" * 1024, "line\nend"])
def test_one_image_is_found_by_its_key(api, records, key):
    records.put(done_image(key, 5), replacing=None)

    image = api.get("/image", key=key)

    assert image["ImageID"] == key and set(image) <= set(PUBLIC_FIELDS)


def test_an_image_that_is_not_there_is_a_404_that_names_it(api, dynamodb):
    dynamodb.put_item(TableName=TABLE, Item={"ImageID": {"S": "mine"}, "Note": {"S": "only a note"}})

    for key in ("none.jpg", "mine"):
        answer = api.call({**event_named("images"), "rawPath": "/image", "queryStringParameters": {"key": key}})
        assert answer["statusCode"] == 404 and key in json.loads(answer["body"])["detail"]


@pytest.mark.parametrize(
    "parameters", [{}, {"key": ""}, {"key": "x" * 1025}, {"key": "\udfff"}, {"key": "a", "k": "b"}]
)
def test_a_key_that_no_image_can_have_is_refused(api, parameters):
    answer = api.call({**event_named("images"), "rawPath": "/image", "queryStringParameters": parameters})

    assert answer["statusCode"] == 400


def test_totals_begin_at_nothing(api):
    assert api.get("/stats") == {
        "images": 0,
        "problems": 0,
        "original_bytes": 0,
        "compressed_bytes": 0,
        "saved_bytes": 0,
        "variants": 0,
        "variant_bytes": 0,
        "formats": {},
        "months": {},
        "price_per_gb_month": 0.023,
        "saved_per_month": 0.0,
    }


def test_what_the_stream_counted_is_shown(api, dynamodb):
    item = {**to_item(done_image("a.jpg", 1)), "OriginalBytes": Decimal(10**12), "CompressedBytes": Decimal(4000)}
    Stats(dynamodb, STATS_TABLE).count([Change("1", None, item)])

    shown = api.get("/stats")

    assert (shown["images"], shown["formats"], shown["months"]) == (1, {"JPEG": 1}, {"2026-03": 1})
    assert shown["saved_bytes"] == 10**12 - 4000
    assert shown["saved_per_month"] == 23
