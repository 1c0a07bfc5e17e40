"""What a child answers that decodes an image is looked at before it is believed."""

from __future__ import annotations

import json
import sys

import pytest

from pipeline.errors import Code
from pipeline.images import wire
from pipeline.images.options import ImageOptions
from pipeline.images.transform import transform
from tests.functional.isolated import PICTURES, hostile, refused

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's limits are Linux's")


@pytest.mark.parametrize("name", ("html_as_picture", "unasked_outputs", "unknown_format"))
def test_an_answer_that_transform_could_not_give_is_not_believed(name: str):
    assert refused(name, options=ImageOptions()).code == Code.CORRUPT_FILE


def test_what_the_parent_knows_it_does_not_take_from_the_child():
    facts = hostile("lies", b"0123456789").facts

    assert (facts.bytes, facts.content_type) == (10, "image/png")
    assert facts.sha256.startswith("84d89877f0d4041e")


def framed(header: object, size: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return (len(text) if size is None else size).to_bytes(4, "big") + text


NONSENSE = {
    "nothing": b"",
    "half a length": b"\0\0",
    "a pickle": b"\x80\x04cos\nsystem\n(S'exit'\ntR.",
    "an endless header": framed({}, 2**32 - 1),
    "no object": framed([1]),
    "no blobs": framed({"facts": {}}),
    "negative blobs": framed({"blobs": [-5]}),
    "endless blobs": framed({"blobs": [2**40]}),
    "many blobs": framed({"blobs": [1] * 10_000}),
    "deep": (60_000).to_bytes(4, "big") + b"[" * 60_000,
    "outputs that are none": framed({"blobs": [], "outputs": 5, "facts": {}}),
    "facts that are none": framed({"blobs": [], "outputs": [], "facts": [1]}),
    "a format that is none": framed({"blobs": [], "outputs": [], "facts": {"format": ["PNG"]}}),
    "a code that is none": framed({"blobs": [], "rejected": {"code": "FINE", "reason": "x"}}),
    "a rejection that is none": framed({"blobs": [], "rejected": "x"}),
    "pixels that are none": framed({"blobs": [], "pixels": "many"}),
    "negative pixels": framed({"blobs": [], "pixels": -1}),
    "boolean pixels": framed({"blobs": [], "pixels": True}),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_in_the_place_of_an_answer_is_a_corrupt_file(name: str):
    assert refused("says", NONSENSE[name]).code == Code.CORRUPT_FILE


def test_a_reason_from_the_child_has_a_bound():
    header = {"blobs": [], "rejected": {"code": "CORRUPT_FILE", "reason": "x" * 50_000}}

    assert len(refused("says", framed(header)).reason) <= 2_000


def test_facts_of_every_type_cross_the_pipe_unchanged():
    facts = transform(PICTURES["JPEG"]).facts
    told = json.loads(json.dumps(vars(facts)))

    assert wire.facts_from_header(told, PICTURES["JPEG"]) == facts


@pytest.mark.parametrize("wrong", ({"mode": 5}, {"size": [1]}, {"size": [1, -1]}, {"taken_at": 7}, {"more": 1}))
def test_a_fact_of_another_type_is_not_believed(wrong: dict[str, object]):
    told = {**json.loads(json.dumps(vars(transform(PICTURES["PNG"]).facts))), **wrong}

    with pytest.raises(wire.BrokenAnswerError):
        wire.facts_from_header(told, b"")
