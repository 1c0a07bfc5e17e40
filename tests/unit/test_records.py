import json
from dataclasses import replace
from decimal import Decimal

import pytest
from ministack.services import _dynamodb_keywords

from pipeline.errors import Code
from pipeline.job import Outcome, PlacedOutput, Record
from pipeline.table.items import CAPTURE_FIELDS, PUBLIC_FIELDS, SHARDS, feed_of, from_item, saved_percent, to_item
from pipeline.table.records import decode_item

DONE = Record(
    image_id="viajes/été + 1.jpg",
    outcome=Outcome.DONE,
    etag="e1",
    version_id="v1",
    options_hash="o1",
    processed_at="2026-01-01T00:00:00.000001Z",
    original_url="http://127.0.0.1/uploads/x.jpg",
    original_bytes=1000,
    pipeline_version="0.1.0",
    outputs=(
        PlacedOutput("thumbnail", "thumbnails/x/1.webp", "http://t", "image/webp", 100, (256, 171)),
        PlacedOutput("compressed", "compressed/x/1.jpg", "http://c", "image/jpeg", 575, (3000, 2000)),
    ),
    pixel_width=3000,
    pixel_height=2000,
    image_format="JPEG",
    content_type="image/jpeg",
    sha256="0" * 64,
    taken_at="2024-05-01T10:00:00+02:00",
    camera_model="Imaginary One",
    placeholder="1QcSHQRnh493V4dIh4eXh1h4kJUI",
)
FAILED = Record(
    image_id="bad.jpg",
    outcome=Outcome.FAILED,
    etag="e2",
    version_id=None,
    options_hash="o1",
    processed_at="2026-01-01T00:00:00.000002Z",
    original_url="http://127.0.0.1/uploads/bad.jpg",
    original_bytes=0,
    pipeline_version="0.1.0",
    error_code=Code.INVALID_CONTENT,
    error_message="the object is empty",
)


@pytest.mark.parametrize("record", [DONE, FAILED, replace(DONE, camera_model=None, version_id=None)])
def test_a_record_survives_its_item(record):
    item = to_item(record)

    assert from_item(item) == record
    assert from_item({**item, "Note": "mine", "OriginalBytes": Decimal(record.original_bytes)}) == record


def test_a_done_item_carries_what_people_query_for():
    item = to_item(DONE)

    assert item["ImageID"] == "viajes/été + 1.jpg"
    assert item["ThumbnailURL"] == "http://t"
    assert item["CompressedBytes"] == 575
    assert item["SavedPercent"] == Decimal("42.5")
    assert item["Feed"] in SHARDS
    assert "Failing" not in item and "ErrorCode" not in item


def test_a_failed_item_is_in_the_problems_index_and_has_no_picture():
    item = to_item(FAILED)

    assert item["Failing"] == item["Feed"]
    assert not [name for name in item if name.startswith(("Thumbnail", "Compressed", "Outputs"))]


def test_no_attribute_is_a_word_that_dynamodb_reserves():
    words = {word.upper() for word in _dynamodb_keywords.AWS_KEYWORDS}
    nested = {name for output in to_item(DONE)["Outputs"] for name in output}
    names = {*to_item(DONE), *to_item(FAILED), *nested, "Note"}

    assert len(words) > 500
    assert not {name for name in names if name.upper() in words}


def test_what_is_private_is_not_among_the_public_fields():
    assert not {"Note", "OriginalURL", "ETag", "VersionId", "SHA256", "ErrorMessage"} & {
        *PUBLIC_FIELDS,
        *CAPTURE_FIELDS,
    }
    assert not set(PUBLIC_FIELDS) & set(CAPTURE_FIELDS)


def test_the_shards_are_used_evenly():
    counts = [sum(feed_of(f"{number}.jpg") == shard for number in range(4000)) for shard in SHARDS]

    assert min(counts) > 900


def test_saving_is_negative_where_an_image_grew_and_zero_of_nothing():
    assert saved_percent(100, 110) == Decimal("-10.0")
    assert saved_percent(0, 0) == 0


def test_typed_values_are_decoded_to_plain_ones():
    assert decode_item({"A": {"S": "x"}, "B": {"L": [{"N": "1"}]}}) == {"A": "x", "B": [Decimal(1)]}


def test_the_largest_record_is_far_below_what_an_item_may_hold():
    key = "\U0001f30a" * 256
    output = replace(DONE.outputs[0], key="k" * 1024, url="u" * 6000)
    largest = replace(
        FAILED,
        image_id=key,
        error_message="\U0001f30a" * 500,
        original_url="u" * 6000,
        camera_model="\U0001f30a" * 100,
        outputs=(output, replace(output, name="compressed")),
    )

    assert len(json.dumps(to_item(largest), default=str, ensure_ascii=False).encode()) < 60_000


@pytest.mark.parametrize(
    "odd",
    [{"Outcome": "HIDDEN"}, {"Outcome": None}, {"ErrorCode": "NEWER"}, {"ErrorCode": ["x"]}, {"Outputs": None},
     {"Outputs": ["x", None, {"OutputName": "a"}]}, {"Outputs": "x"}, {"Outputs": [{"OutputBytes": Decimal("NaN")}]}],
)  # fmt: skip
def test_what_a_user_or_a_later_version_wrote_can_be_read_and_is_never_taken_for_done(odd):
    record = from_item({**to_item(FAILED), **odd})

    assert record.image_id == "bad.jpg" and record.outcome is Outcome.FAILED and record.outputs == ()


@pytest.mark.parametrize(
    "odd", [{"Outputs": None}, {"Outputs": "mine"}, {"Outputs": []}, {"Outputs": [{"OutputName": "thumbnail"}]}]
)
def test_a_done_record_whose_outputs_cannot_be_read_is_made_again(odd):
    assert from_item({**to_item(DONE), **odd}).outcome is Outcome.FAILED


@pytest.mark.parametrize("name", ["ETag", "OptionsHash", "ProcessedAt"])
@pytest.mark.parametrize("odd", [None, Decimal("1.5"), {"x"}, ["x"]])
def test_a_text_that_a_user_made_something_else_is_read_as_none(name, odd):
    record = from_item({**to_item(DONE), name: odd})

    assert "" in (record.etag, record.options_hash, record.processed_at)
