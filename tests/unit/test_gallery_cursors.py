from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gallery.pages import CursorError, Place, decode_cursor, encode_cursor
from pipeline.gallery.wanted import ALL, Order, Wanted

SHARDS = ("0", "1", "2", "3")
AT = "2026-03-01T12:00:00.123456Z"

keys = st.text(min_size=1, max_size=1024).filter(lambda key: len(key.encode()) <= 1024)
places = st.builds(Place, at=keys, last=st.dictionaries(st.sampled_from(SHARDS), keys))


def _forged(body: str) -> str:
    """What somebody makes who has read the source: the check is right, the content is not."""
    question = ALL.fingerprint.encode() + b"\n"
    check = hashlib.sha256(b"gallery, layout 2\n" + question + body.encode()).digest()[:6]
    return base64.urlsafe_b64encode(check + body.encode()).decode().rstrip("=")


@given(places)
def test_a_cursor_leads_back_to_its_place(place):
    assert decode_cursor(encode_cursor(place), SHARDS) == place


@pytest.mark.parametrize("key", ["a" * 1024, "é" * 512, "𝄞" * 256, "\n\x00\x1b", "a+b %2F c?&=#", "../..", "نص"])
def test_long_and_odd_keys_make_cursors_that_need_no_escaping_in_a_url(key):
    place = Place(AT, {shard: key for shard in SHARDS})

    text = encode_cursor(place)

    assert text.isascii() and text.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(text, SHARDS) == place


@given(places, st.data())
def test_a_cursor_with_any_character_changed_is_refused(place, data):
    text = encode_cursor(place)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != text[at]))

    with pytest.raises(CursorError):
        decode_cursor(text[:at] + other + text[at + 1 :], SHARDS)


@given(places, st.data())
def test_a_cursor_that_was_cut_is_refused(place, data):
    text = encode_cursor(place)
    length = data.draw(st.integers(0, len(text) - 1))

    with pytest.raises(CursorError):
        decode_cursor(text[:length], SHARDS)


@given(st.text())
def test_text_from_anywhere_else_is_refused(text):
    with pytest.raises(CursorError):
        decode_cursor(text, SHARDS)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "{}",
        "[]",
        '["a"]',
        '["",{}]',
        "[1,{}]",
        '["a",[]]',
        '["a","b"]',
        '["a",{"4":"x"}]',
        '["a",{"0":""}]',
        '["a",{"0":1}]',
        '["a",{"0":{"S":"x"}}]',
        '["a",{"0":null}]',
        '["a",{"0":"x","0":"x"}]',
        '["a",{"1":"x","0":"x"}]',
        '["a", {}]',
        '["\\u0061",{}]',
        '["\\ud800",{}]',
        '["a",{},1]',
        '["a",NaN]',
        json.dumps(["a" * 1025, {}], separators=(",", ":")),
        json.dumps(["a", {"0": "a" * 2049}], separators=(",", ":")),
        "[" * 5000,
    ],
)
def test_a_forged_cursor_is_refused_unless_it_is_one_that_could_have_been_given_out(body):
    with pytest.raises(CursorError):
        decode_cursor(_forged(body), SHARDS)


def test_the_forger_of_these_tests_knows_how_to_make_a_good_one():
    assert decode_cursor(_forged('["a",{"0":"x"}]'), SHARDS) == Place("a", {"0": "x"})


@pytest.mark.parametrize("ending", ["=", "==", "\n", " ", "A"])
def test_a_cursor_with_something_after_it_is_refused(ending):
    with pytest.raises(CursorError):
        decode_cursor(encode_cursor(Place(AT)) + ending, SHARDS)


@pytest.mark.parametrize(
    "other",
    [
        Wanted(order=Order.OLDEST),
        Wanted(order=Order.NAME),
        Wanted(format="JPEG"),
        Wanted(prefix="a"),
        Wanted(min_bytes=1),
    ],
)
def test_a_cursor_of_one_question_is_of_no_use_for_another(other):
    with pytest.raises(CursorError):
        decode_cursor(encode_cursor(Place("a")), SHARDS, other)


@pytest.mark.parametrize(
    ("wanted", "outside"),
    [
        (Wanted(order=Order.NAME, prefix="holiday/"), "private/a.jpg"),
        (Wanted(since="2026-03"), "2026-02-28T23:59:59.999999Z"),
        (Wanted(until="2026-03"), "2026-04-01T00:00:00.000000Z"),
    ],
)
def test_a_forged_cursor_leads_nowhere_beyond_what_was_asked_for(wanted, outside):
    with pytest.raises(CursorError):
        decode_cursor(encode_cursor(Place(outside), wanted), SHARDS, wanted)
