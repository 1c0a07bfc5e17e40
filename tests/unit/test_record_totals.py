"""Totals of a table into which users write, too."""

from decimal import Decimal

import pytest

from cli.record_totals import Totals
from setup_scripts.results import ImageResult
from setup_scripts.sending import Way

DONE = {"Outcome": "DONE", "OriginalBytes": Decimal(1000), "CompressedBytes": Decimal(400)}


@pytest.mark.parametrize("odd", ["many", None, ["x"], {"a": 1}, Decimal("1.5")])
def test_what_is_no_number_of_bytes_is_counted_as_none(odd):
    totals = Totals()

    totals.add(DONE)
    totals.add({**DONE, "CompressedBytes": odd})

    assert (totals.images, totals.bytes_before, totals.bytes_after) == (2, 1000, 400)
    assert ImageResult.from_record("a.jpg", Way.UPLOADED, {**DONE, "CompressedBytes": odd}).bytes_after is None
