from dataclasses import replace

import pytest

from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.job import Output
from pipeline.objects import ObjectVersion, Origin, is_archived
from tests.contract.conftest import ON_AWS_ENGINES
from tests.odd_keys import ODD_KEYS

OUTPUT = Output("thumbnail", b"pixels", "image/webp", "WEBP", (2, 1))


def get(engine, key, max_bytes=1000):
    return engine.storage.get(engine.bucket, key, max_bytes=max_bytes)


def test_an_object_is_read_with_the_version_that_head_names(engine):
    engine.put(engine.bucket, "a.jpg", b"first")
    engine.put(engine.bucket, "a.jpg", b"second")

    found = get(engine, "a.jpg")

    assert (found.data, found.size, found.is_output) == (b"second", 6, False)
    assert found.version == engine.storage.head(engine.bucket, "a.jpg")
    assert found.version.version_id and '"' not in found.version.etag


def test_the_same_bytes_again_are_another_version(engine):
    engine.put(engine.bucket, "a.jpg", b"same")
    first = engine.storage.head(engine.bucket, "a.jpg")
    engine.put(engine.bucket, "a.jpg", b"same")

    second = engine.storage.head(engine.bucket, "a.jpg")

    assert first.etag == second.etag and first != second


def test_an_object_that_never_was_or_was_removed_is_none(engine):
    engine.put(engine.bucket, "a.jpg", b"data")
    engine.remove(engine.bucket, "a.jpg")

    assert get(engine, "a.jpg") is None and engine.storage.head(engine.bucket, "a.jpg") is None
    assert get(engine, "never") is None and engine.storage.head(engine.bucket, "never") is None


def test_more_bytes_than_allowed_are_not_read(engine):
    engine.put(engine.bucket, "a.jpg", b"12345")

    found = get(engine, "a.jpg", max_bytes=4)

    assert (found.data, found.size) == (None, 5)


def test_an_output_is_marked_and_putting_it_twice_leaves_the_first(engine):
    engine.storage.put_output(engine.bucket, "thumbnails/a/1.webp", OUTPUT)
    first = engine.storage.head(engine.bucket, "thumbnails/a/1.webp")

    engine.storage.put_output(engine.bucket, "thumbnails/a/1.webp", OUTPUT)

    found = get(engine, "thumbnails/a/1.webp")
    assert found.is_output and found.data == b"pixels" and found.version == first


def test_an_output_that_differs_replaces_an_older_output(engine):
    engine.storage.put_output(engine.bucket, "thumbnails/a/1.webp", OUTPUT)

    engine.storage.put_output(engine.bucket, "thumbnails/a/1.webp", replace(OUTPUT, data=b"better"))

    assert get(engine, "thumbnails/a/1.webp").data == b"better"


def test_a_folder_lists_what_lies_directly_in_it(engine):
    for key in ("t/a/1.webp", "t/a/2.webp", "t/a/b/1.webp", "t/ab/1.webp"):
        engine.storage.put_output(engine.bucket, key, OUTPUT)

    assert [key for key, _ in engine.storage.list_folder(engine.bucket, "t/a/")] == ["t/a/1.webp", "t/a/2.webp"]


def test_deleting_takes_what_is_there_and_minds_nothing_else(engine):
    engine.storage.put_output(engine.bucket, "t/a/1.webp", OUTPUT)

    engine.storage.delete(engine.bucket, {"t/a/1.webp", "t/never"})
    engine.storage.delete(engine.bucket, set())

    assert get(engine, "t/a/1.webp") is None


def test_odd_keys_come_back_as_they_went(engine):
    # moto alone cannot take a line feed in a key.
    keys = [key for key in ODD_KEYS if "\n" not in key or engine.name != "moto"]
    for key in keys:
        engine.put(engine.bucket, key, key.encode())

    assert {key: get(engine, key, max_bytes=4096).data for key in keys} == {key: key.encode() for key in keys}


@ON_AWS_ENGINES
def test_an_object_of_somebody_else_in_the_place_of_an_output_is_never_overwritten(engine):
    engine.put(engine.bucket, "thumbnails/a/1.webp", b"theirs")

    with pytest.raises(RetryError, match="move it away"):
        engine.storage.put_output(engine.bucket, "thumbnails/a/1.webp", OUTPUT)

    assert get(engine, "thumbnails/a/1.webp").data == b"theirs"


ORIGIN = Origin("s3://uploads/a.jpg", ObjectVersion("etag", "v1"), "options")


def test_a_verified_output_is_put_once_and_says_of_what_it_was_made(engine):
    first = engine.storage.put_verified(engine.bucket, "out/a.jpg", OUTPUT, ORIGIN, lambda: True)
    again = engine.storage.put_verified(engine.bucket, "out/a.jpg", OUTPUT, ORIGIN, lambda: True)

    present = engine.storage.look(engine.bucket, "out/a.jpg")
    assert (first, again) == (True, False)
    assert present.is_output and ORIGIN.is_of(present) and present.data is None


def test_a_verified_output_gives_way_to_a_newer_version_of_its_source_and_never_to_an_older(engine):
    newer = replace(ORIGIN, version=ObjectVersion("other", "v2"))
    engine.storage.put_verified(engine.bucket, "out/a.jpg", OUTPUT, ORIGIN, lambda: True)

    assert engine.storage.put_verified(engine.bucket, "out/a.jpg", replace(OUTPUT, data=b"2"), newer, lambda: True)
    with pytest.raises(RetryError, match="changed"):
        engine.storage.put_verified(engine.bucket, "out/a.jpg", OUTPUT, ORIGIN, lambda: False)

    assert get(engine, "out/a.jpg").data == b"2"


def test_who_replaced_an_output_while_its_source_went_back_comes_again(engine):
    newer = replace(ORIGIN, version=ObjectVersion("other", "v2"))
    engine.storage.put_verified(engine.bucket, "out/a.jpg", OUTPUT, ORIGIN, lambda: True)
    # The older version becomes current again while the newer one's output is on its way: its output was in place.
    answers = [True, False]

    with pytest.raises(RetryError, match="changed"):
        engine.storage.put_verified(
            engine.bucket, "out/a.jpg", replace(OUTPUT, data=b"2"), newer, lambda: answers.pop(0)
        )
    assert engine.storage.put_verified(engine.bucket, "out/a.jpg", OUTPUT, ORIGIN, lambda: True)

    assert get(engine, "out/a.jpg").data == OUTPUT.data


@pytest.mark.parametrize("theirs", ["a stranger's", "of another source"])
def test_what_was_not_made_of_this_source_is_a_conflict_and_stays(engine, theirs):
    if theirs == "a stranger's":
        engine.put(engine.bucket, "out/a.jpg", b"theirs")
    else:
        other = replace(ORIGIN, source="s3://uploads/b.jpg")
        engine.storage.put_verified(engine.bucket, "out/a.jpg", replace(OUTPUT, data=b"theirs"), other, lambda: True)

    with pytest.raises(RejectError) as refused:
        engine.storage.put_verified(engine.bucket, "out/a.jpg", OUTPUT, ORIGIN, lambda: True)

    assert refused.value.code is Code.CONFLICT and get(engine, "out/a.jpg").data == b"theirs"


def replaced(engine, found, *, mark="quality=80"):
    return engine.storage.replace(engine.bucket, "a.jpg", OUTPUT, found, mark=mark, keep_headers=True)


def test_an_original_is_replaced_and_marked_and_is_no_output(engine):
    engine.put(engine.bucket, "a.jpg", b"original")

    version = replaced(engine, get(engine, "a.jpg"))

    present = get(engine, "a.jpg")
    assert (present.data, present.is_output) == (b"pixels", False)
    assert present.metadata["image-pipeline-compressed"] == "quality=80"
    assert present.version.etag == version.etag


def test_an_original_that_somebody_overwrote_stays_as_they_left_it(engine):
    engine.put(engine.bucket, "a.jpg", b"original")
    found = get(engine, "a.jpg")
    engine.put(engine.bucket, "a.jpg", b"theirs")

    with pytest.raises(SkipError) as skipped:
        replaced(engine, found)

    assert skipped.value.code is Code.CONFLICT and get(engine, "a.jpg").data == b"theirs"


@ON_AWS_ENGINES
def test_an_original_that_was_uploaded_in_parts_is_replaced_by_what_its_etag_says_and_not_as_an_md5(clients, engine):
    s3, place, part = clients["s3"], {"Bucket": engine.bucket, "Key": "a.jpg"}, bytes(5 << 20)
    upload = s3.create_multipart_upload(**place, ACL="private")["UploadId"]
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**place, UploadId=upload, PartNumber=n, Body=body)["ETag"]}
        for n, body in ((1, part), (2, b"end"))
    ]
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    found = engine.storage.get(engine.bucket, "a.jpg", max_bytes=10 << 20)
    assert found.version.etag.endswith("-2") and found.data == part + b"end"

    replaced(engine, found)

    assert get(engine, "a.jpg").data == b"pixels"


def test_an_original_that_was_removed_does_not_come_back(engine):
    engine.put(engine.bucket, "a.jpg", b"original")
    found = get(engine, "a.jpg")
    engine.remove(engine.bucket, "a.jpg")

    with pytest.raises(SkipError) as skipped:
        replaced(engine, found)

    assert skipped.value.code is Code.FILE_DELETED and get(engine, "a.jpg") is None


@pytest.mark.parametrize("key", ["t/a\x01b/1.webp", "t/a\x1fb/1.webp", "t/a\ufffeb/1.webp"])
def test_what_xml_cannot_name_is_deleted_by_its_address(engine, key):
    engine.storage.put_output(engine.bucket, key, OUTPUT)
    engine.storage.put_output(engine.bucket, "t/b/1.webp", OUTPUT)

    engine.storage.delete(engine.bucket, {key, "t/b/1.webp"})

    assert (get(engine, key), get(engine, "t/b/1.webp")) == (None, None)


@ON_AWS_ENGINES
def test_an_object_in_an_archive_can_be_looked_at_and_not_read(clients, engine):
    clients["s3"].put_object(Bucket=engine.bucket, Key="a.jpg", Body=b"pixels", StorageClass="GLACIER")

    with pytest.raises(RetryError) as refused:
        get(engine, "a.jpg")

    assert is_archived(refused.value) and engine.storage.look(engine.bucket, "a.jpg").size == 6
