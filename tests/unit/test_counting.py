from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.table.counting import Change, Totals, counts_of

DONE = {
    "ImageID": "a.jpg",
    "Outcome": "DONE",
    "OriginalBytes": Decimal(1000),
    "CompressedBytes": Decimal(400),
    "ImageFormat": "JPEG",
    "ProcessedAt": "2026-03-01T12:00:00.000000Z",
}
FAILED = {"ImageID": "b.jpg", "Outcome": "FAILED", "OriginalBytes": Decimal(9), "ProcessedAt": DONE["ProcessedAt"]}


def test_an_image_counts_with_its_bytes_its_format_and_its_month():
    assert counts_of(DONE) == {
        "Images": 1,
        "BytesBefore": 1000,
        "BytesAfter": 400,
        "Format_JPEG": 1,
        "Month_2026-03": 1,
    }


def test_a_problem_counts_as_one_and_weighs_nothing():
    assert counts_of(FAILED) == {"Problems": 1, "Month_2026-03": 1}


def test_an_image_that_becomes_a_problem_leaves_the_images():
    assert Change("1", DONE, FAILED).counts == {
        "Images": -1,
        "Problems": 1,
        "BytesBefore": -1000,
        "BytesAfter": -400,
        "Format_JPEG": -1,
    }


def listed(*outputs):
    return [{"OutputName": name, "OutputBytes": Decimal(size)} for name, size in outputs]


def test_variants_are_counted_with_their_bytes_and_leave_with_their_image():
    main = [("thumbnail", 5), ("compressed", 400)]
    item = {**DONE, "Outputs": listed(*main, ("webp-320", 20), ("avif-320", 10))}

    assert counts_of(item) == {**counts_of(DONE), "Variants": 2, "VariantBytes": 30}
    assert counts_of({**DONE, "Outputs": listed(*main)}) == counts_of(DONE)
    assert Change("1", item, None).counts["VariantBytes"] == -30
    assert Totals({"Variants": 2, "VariantBytes": 30}).public()["variant_bytes"] == 30


@pytest.mark.parametrize("odd", ["text", [1], [{"OutputName": ["x"], "OutputBytes": "many"}], {"OutputBytes": 1}, [{}]])
def test_outputs_that_a_user_wrote_change_no_total(odd):
    assert counts_of({**DONE, "Outputs": odd}) == counts_of(DONE)


def test_a_note_of_a_user_changes_no_total():
    assert Change("1", DONE, {**DONE, "Note": "mine"}).counts == {}


@pytest.mark.parametrize("item", [None, {}, {"ImageID": "a"}, {**DONE, "Outcome": "MAYBE"}, {**DONE, "ProcessedAt": 7}])
def test_what_is_no_record_counts_as_nothing(item):
    assert counts_of(item) == {}


@pytest.mark.parametrize(
    "odd",
    [
        {"OriginalBytes": "many"},
        {"OriginalBytes": Decimal("1.5")},
        {"OriginalBytes": Decimal(-1)},
        {"OriginalBytes": Decimal("1E+100")},
        {"CompressedBytes": None},
        {"ImageFormat": "<script>"},
        {"ImageFormat": ["JPEG"]},
        {"ProcessedAt": "yesterday"},
        {"ProcessedAt": "2026-99-01T00:00:00Z"},
        {"ProcessedAt": "0000-05-01T00:00:00Z"},
    ],
)
def test_whatever_users_write_into_a_record_the_image_still_counts(odd):
    counts = counts_of({**DONE, **odd})

    assert counts["Images"] == 1
    assert len(counts) < len(counts_of(DONE))
    assert all(name.removeprefix("Format_").removeprefix("Month_").replace("-", "").isalnum() for name in counts)


def test_nobody_is_told_of_formats_and_months_that_are_empty_again():
    assert Totals({"Images": 0, "Format_PNG": 0, "Format_JPEG": 2}).public()["formats"] == {"JPEG": 2}


def test_the_price_is_that_of_the_saved_bytes():
    totals = Totals({"BytesBefore": 3 * 10**9, "BytesAfter": 10**9})

    assert totals.price(Decimal("0.023")) == {"price_per_gb_month": 0.023, "saved_per_month": 0.046}


@pytest.mark.parametrize("name", [["x"], {"x": 1}, None])
def test_an_output_of_any_name_is_counted_without_a_fault(name):
    assert counts_of({**DONE, "Outputs": [{"OutputName": name, "OutputBytes": Decimal(5)}]})["Variants"] == 1
