import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.batch.file_list import (
    Manifest,
    batch_number,
    count_images,
    images_of,
    images_of_shard,
    require_complete,
    source_of,
)
from pipeline.batch.json_tokens import FileListError
from pipeline.job import S3Source

LIST = {"batch_1": ['s3://photos/a "b"\\.jpg', "s3://photos/é\n.jpg"], "batch_2": [], "batch_3": ["s3://others/a.jpg"]}


def in_chunks(text, size):
    return [text[start : start + size] for start in range(0, len(text), size)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_a_batch_is_read_from_json_however_it_is_laid_out_and_cut(indent, size):
    chunks = in_chunks(json.dumps(LIST, indent=indent), size)

    assert {f"batch_{n}": images_of(chunks, n) for n in (1, 2, 3)} == LIST
    assert images_of(chunks, 4) is None
    assert count_images(chunks) == {"batch_1": 2, "batch_2": 0, "batch_3": 1}


@given(st.dictionaries(st.text(), st.lists(st.text(max_size=50), max_size=4), max_size=4), st.integers(1, 40))
def test_counting_agrees_with_the_json_of_python(document, size):
    assert count_images(in_chunks(json.dumps(document), size)) == {key: len(value) for key, value in document.items()}


def test_a_batch_is_read_no_further_than_its_end():
    def chunks():
        yield '{"batch_1": ["s3://photos/a.jpg"], "batch_2": [],'
        raise AssertionError("read too far")

    assert images_of(chunks(), 1) == ["s3://photos/a.jpg"]


def test_a_list_that_is_cut_off_anywhere_is_no_list():
    text = json.dumps(LIST)

    for end in range(len(text)):
        with pytest.raises(FileListError):
            count_images([text[:end]])


@pytest.mark.parametrize("text", ["[]", '{"batch_1": 1}', '{"batch_1": ["a" "b"]}', "{} x", "nonsense", '{"b": [1]}'])
def test_what_is_no_list_is_refused_with_its_place(text):
    with pytest.raises(FileListError, match="character"):
        count_images([text])


def test_a_batch_that_comes_twice_is_refused():
    with pytest.raises(FileListError, match="two batches 'batch_1'"):
        count_images(['{"batch_1": [], "batch_1": []}'])


@pytest.mark.parametrize("names", [[], ["batch_2"], ["batch_1", "batch_3"], ["batch_1", "others"], ["batch_01"]])
def test_batches_with_a_gap_or_other_names_are_refused(names):
    with pytest.raises(FileListError, match="is missing"):
        require_complete(names)


def test_the_order_of_batches_does_not_matter():
    assert require_complete(["batch_2", "batch_1", "batch_3"]) == 3


def test_a_batch_is_named_in_two_ways():
    assert batch_number("batch_3") == batch_number("3") == 3


@pytest.mark.parametrize("text", ["", "0", "batch_0", "batch_", "03", "three", "batch_3 ", "-1"])
def test_what_names_no_batch_is_refused(text):
    with pytest.raises(ValueError, match="write batch_3, or 3"):
        batch_number(text)


def test_a_key_is_taken_as_it_is():
    assert source_of("s3://photos/a b+%20/é.jpg ") == S3Source("photos", "a b+%20/é.jpg ")


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("photos/a.jpg", "not of the form"),
        ("s3://photos", "not of the form"),
        ("s3://photos/", "not of the form"),
        ("s3:///a.jpg", "not of the form"),
        ("S3://photos/a.jpg", "not of the form"),
        ("https://photos/a.jpg", "not of the form"),
        ("s3://photos/folder/", "folder"),
        ("s3://photos/" + "ü" * 513, "1024 bytes"),
        ("s3://photos/\ud800.jpg", "surrogates"),
    ],
)
def test_what_names_no_object_is_refused_with_the_reason(image, reason):
    with pytest.raises(ValueError, match=reason):
        source_of(image)


def test_a_shard_is_one_json_string_to_a_line():
    assert images_of_shard(['"s3://photos/a.jpg"\n', "\n", '"s3://photos/\\u00e9"']) == [
        "s3://photos/a.jpg",
        "s3://photos/é",
    ]
    with pytest.raises(FileListError, match="line 2"):
        images_of_shard(['"s3://photos/a.jpg"', '"s3://phot'])


def test_a_manifest_comes_back_as_it_went():
    manifest = Manifest(batches=3, images=10, bytes=None)

    assert Manifest.from_json(manifest.to_json()) == manifest
    with pytest.raises(FileListError):
        Manifest.from_json('{"batches": 3')
