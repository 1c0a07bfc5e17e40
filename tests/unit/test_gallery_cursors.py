from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gallery.pages import CursorError, Place, Slice, decode_cursor, encode_cursor, page_of
from pipeline.gallery.wanted import ALL, Order, Wanted

SHARDS = ("0", "1", "2", "3")
AT = "2026-03-01T12:00:00.123456Z"

keys = st.text(min_size=1, max_size=1024).filter(lambda key: len(key.encode()) <= 1024)
places = st.builds(Place, at=keys, last=st.dictionaries(st.sampled_from(SHARDS), keys))


def _forged(body: bytes) -> str:
    """What somebody makes who has read the source: the check is right, the content is not."""
    question = ALL.fingerprint.encode() + b"\n"
    check = hashlib.sha256(b"gallery, layout 3\n" + question + body).digest()[:6]
    return base64.urlsafe_b64encode(check + body).decode().rstrip("=")


def _texts(*texts: bytes) -> bytes:
    return b"".join(len(text).to_bytes(2, "big") + text for text in texts)


@given(places)
def test_a_cursor_leads_back_to_its_place(place):
    assert decode_cursor(encode_cursor(place), SHARDS) == place


@pytest.mark.parametrize("key", ["a" * 1024, "é" * 512, "𝄞" * 256, "\n\x00\x1b", "a+b %2F c?&=#", "../..", "نص"])
def test_long_and_odd_keys_make_cursors_that_need_no_escaping_in_a_url(key):
    place = Place(AT, {shard: key for shard in SHARDS})

    text = encode_cursor(place)

    assert text.isascii() and text.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(text, SHARDS) == place


@pytest.mark.parametrize("character", ["a", "\x01", "\\", '"', "é", "𝄞"])
@pytest.mark.parametrize("order", Order)
def test_no_key_makes_a_cursor_that_is_too_long_for_a_url(order, character):
    longest = character * (1024 // len(character.encode()))
    item = {"ImageID": longest, "ProcessedAt": AT}
    slices = {shard: Slice([item] if shard < "3" else [item, item]) for shard in SHARDS}
    wanted = Wanted(order=order)

    page = page_of(slices, 4, start=None, wanted=wanted)

    # CloudFront takes 8,192 bytes of address, of which a prefix may take 3,072.
    assert page.end and len(encode_cursor(page.end, wanted)) < (1500 if order is Order.NAME else 5600)


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
        b"",
        b"\0",
        b"\0\1",
        b"\0\0" * 5000,
        b"\xff" * 5000,
        _texts(b""),
        _texts(b"", b"0", b"x"),
        _texts(b"a") + b"\0",
        _texts(b"a", b"0"),
        _texts(b"a", b"4", b"x"),
        _texts(b"a", b"0", b""),
        _texts(b"a", b"0", b"x", b"0", b"x"),
        _texts(b"a", b"1", b"x", b"0", b"x"),
        _texts(b"\xff"),
        _texts(b"\xed\xa0\x80"),
        _texts(b"a" * 1025),
        _texts(b"a", b"0", b"a" * 2049),
        b'["a",{"0":"x"}]',
    ],
)
def test_a_forged_cursor_is_refused_unless_it_is_one_that_could_have_been_given_out(body):
    with pytest.raises(CursorError):
        decode_cursor(_forged(body), SHARDS)


def test_the_forger_of_these_tests_knows_how_to_make_a_good_one():
    assert decode_cursor(_forged(_texts(b"a", b"0", b"x")), SHARDS) == Place("a", {"0": "x"})


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
