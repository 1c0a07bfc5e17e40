from __future__ import annotations

import json
from decimal import Decimal

import pytest

from pipeline.gallery.pages import public


def test_only_the_named_fields_are_shown_and_absent_ones_are_left_out():
    item = {"ImageID": "a.jpg", "Note": "private", "ETag": "x"}

    assert public(item, ("ImageID", "ThumbnailURL")) == {"ImageID": "a.jpg"}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (Decimal("12"), 12),
        (Decimal("1E+3"), 1000),
        (Decimal("-3.5"), -3.5),
        (Decimal("0"), 0),
        ({Decimal("1")}, [1]),
        ([{"OutputBytes": Decimal("7")}], [{"OutputBytes": 7}]),
        (True, True),
        (None, None),
        (b"\xff", None),
        ("<script>", "<script>"),
    ],
)
def test_whatever_a_table_can_hold_becomes_plain_json(stored, shown):
    value = public({"Field": stored}, ("Field",))["Field"]

    assert value == shown
    assert type(value) is type(shown)
    json.dumps(value)
