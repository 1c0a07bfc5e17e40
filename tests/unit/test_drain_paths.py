"""Keys become paths that lie inside, differ when the keys do, and tell the key again."""

import os
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bulk.drain.paths import (
    EMPTY,
    FILE,
    FOLDER,
    OWN_FOLDER,
    key_of,
    partial_name,
    parts_of,
    twin_name,
    version_ending,
)
from tests.odd_keys import ODD_KEYS

#: Pieces that are names of something else to one system or another, and what escapes are made of.
PIECES = [
    "",
    ".",
    "..",
    "a",
    "A",
    "con",
    "NUL.txt",
    "com1",
    ".drain",
    ".DRAIN",
    "%",
    "%2E",
    "%empty",
    "%file",
    "a.",
    "a ",
]
PIECES += ["e\u0301", "é", "\0", "\\", "C:", "%more", "a%more", "x" * 300, "é" * 150, "%" * 200, "%41"]
KEYS = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), min_size=1, max_size=6).map("/".join).filter(bool)
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


@given(KEYS)
@example("x" * 1024)
@example("é" * 512)
@example("%" * 1024)
@settings(max_examples=1000)
def test_a_path_tells_the_key_that_it_came_from(key):
    assert key_of(parts_of(key)) == key


@given(KEYS, KEYS)
def test_two_keys_never_share_a_path(one, other):
    assert (parts_of(one) == parts_of(other)) == (one == other)


@given(KEYS, st.text(max_size=40))
def test_what_is_appended_where_a_name_is_taken_is_undone(key, identity):
    *folders, name = parts_of(key)
    beside = twin_name(name) + FILE + version_ending(identity)
    elsewhere = [twin_name(folder) + FOLDER for folder in folders]

    assert key_of([*folders, beside]) == key
    assert key_of([*elsewhere, name]) == key


@given(KEYS, st.text(max_size=40))
@settings(max_examples=1000)
def test_every_part_is_a_name_that_all_systems_take(key, identity):
    parts = parts_of(key)
    longest = twin_name(parts[-1]) + FILE + version_ending(identity)

    for part in (*parts, longest, *(twin_name(part) + FOLDER for part in parts), partial_name(key, identity)):
        assert part not in ("", ".", "..")
        assert len(os.fsencode(part)) <= 255
        assert not set(part) & set('/\\<>:"|?*\0\n')
        assert part[-1] not in ". "
        assert not DEVICES.match(part)
    assert parts[0].casefold() != OWN_FOLDER


@given(KEYS, KEYS, st.text(max_size=40))
def test_no_key_is_stored_under_the_name_that_bytes_arrive_in(key, other, identity):
    assert partial_name(other, identity) not in parts_of(key)


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_have_paths_of_their_own(key):
    others = [parts_of(other) for other in ODD_KEYS if other != key]

    assert parts_of(key) not in others
    assert key_of(parts_of(key)) == key


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("a/b.jpg", ("a", "b.jpg")),
        ("viajes/playa en otoño.jpg", ("viajes", "playa en otoño.jpg")),
        ("a//b", ("a", EMPTY, "b")),
        ("/etc/passwd", (EMPTY, "etc", "passwd")),
        ("a/", ("a", EMPTY)),
        ("../../x", (".%2E", ".%2E", "x")),
        ("a/./b", ("a", "%2E", "b")),
        ("a\\..\\b", ("a%5C..%5Cb",)),
        ("nul\0.jpg", ("nul%00.jpg",)),
        ("CON", ("%43ON",)),
        ("aux.tar.gz", ("%61ux.tar.gz",)),
        ("100%", ("100%25",)),
        (".drain/journal.jsonl", ("%2Edrain", "journal.jsonl")),
        ("a/.drain", ("a", ".drain")),
        ("x" * 200, ("x" * 195 + "%more", "x" * 5)),
    ],
)
def test_a_key_keeps_its_names_but_for_what_a_file_system_would_misunderstand(key, parts):
    assert parts_of(key) == parts
