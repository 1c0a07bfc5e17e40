"""Jobs that keep no record: outputs under fixed keys, and originals replaced in their place."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

from pipeline.clients import make_client
from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.images.options import COMPRESSED, OutputOptions
from pipeline.job import OutputWanted, Write
from pipeline.objects import Origin
from pipeline.storage import Storage
from tests.functional.pipeline_in_memory import Pipeline
from tests.images import jpeg, photo, png

JPEG = jpeg(photo((600, 400)), quality=95)
ANOTHER = jpeg(photo((300, 500)), quality=95)
FIXED = OutputWanted("compressed", COMPRESSED, "outputs", key="out/a.jpg", write=Write.VERIFY)
IN_PLACE = OutputWanted("compressed", COMPRESSED, write=Write.REPLACE_IF_MATCH, keep_headers=True, mark="quality=80")


@pytest.fixture
def pipeline():
    pipeline = Pipeline()
    pipeline.upload("a.jpg", JPEG)
    return pipeline


def run(pipeline, wanted, told=None, **job):
    def watch(step, facts):
        if told is not None:
            told.append(step)

    return pipeline.run("a.jpg", outputs=(wanted,), record=False, watch=watch, **job)


def test_a_fixed_key_takes_the_output_and_says_of_what_it_was_made(pipeline):
    told: list[str] = []

    record = run(pipeline, FIXED, told)

    stored = pipeline.storage.look("outputs", "out/a.jpg")
    assert told == ["look", "fetch", "transform", "put"]
    assert record.output("compressed").key == "out/a.jpg" and pipeline.records.items == {}
    assert stored.is_output and stored.metadata["image-pipeline-source"] == "s3://uploads/a.jpg"


def test_what_is_done_is_neither_fetched_nor_written_again(pipeline):
    run(pipeline, FIXED)
    writes = pipeline.storage.writes
    told: list[str] = []

    with pytest.raises(SkipError, match="already done"):
        run(pipeline, FIXED, told)

    assert told == ["look"] and pipeline.storage.writes == writes


def test_force_does_what_is_done_again(pipeline):
    run(pipeline, FIXED)
    told: list[str] = []

    run(pipeline, FIXED, told, force=True)

    assert told == ["fetch", "transform", "put"]


@pytest.mark.parametrize("change", ["another version", "other options"])
def test_an_output_of_an_older_version_or_of_other_options_gives_way(pipeline, change):
    run(pipeline, FIXED)
    first = pipeline.storage.head("outputs", "out/a.jpg")
    wanted = replace(FIXED, options=OutputOptions(quality=20)) if change == "other options" else FIXED
    if change == "another version":
        pipeline.upload("a.jpg", ANOTHER)

    run(pipeline, wanted)

    assert pipeline.storage.head("outputs", "out/a.jpg") != first


def test_an_object_of_somebody_else_under_the_fixed_key_is_a_conflict_and_stays(pipeline):
    pipeline.storage.put("outputs", "out/a.jpg", b"theirs")

    with pytest.raises(RejectError) as refused:
        run(pipeline, FIXED)

    assert refused.value.code is Code.CONFLICT
    assert pipeline.storage.get("outputs", "out/a.jpg", max_bytes=100).data == b"theirs"


def test_an_output_of_another_source_under_the_same_key_is_a_conflict(pipeline):
    run(pipeline, FIXED)
    pipeline.upload("b.jpg", ANOTHER)

    with pytest.raises(RejectError) as refused:
        pipeline.run("b.jpg", outputs=(FIXED,), record=False)

    assert refused.value.code is Code.CONFLICT


def test_a_slow_worker_never_puts_an_older_version_over_a_newer_one(pipeline):
    def overtake(step, facts):
        if step == "transform":
            pipeline.upload("a.jpg", ANOTHER)
            pipeline.run("a.jpg", outputs=(FIXED,), record=False)

    with pytest.raises(RetryError, match="changed"):
        pipeline.run("a.jpg", outputs=(FIXED,), record=False, watch=overtake)

    stored = pipeline.storage.look("outputs", "out/a.jpg")
    assert stored.metadata["image-pipeline-etag"] == pipeline.storage.head("uploads", "a.jpg").etag


def test_the_extension_of_the_format_is_appended_where_that_is_wanted(pipeline):
    wanted = replace(FIXED, key="out/a", extended=True)

    assert run(pipeline, wanted).output("compressed").key == "out/a.jpg"
    with pytest.raises(SkipError, match="already done"):
        run(pipeline, wanted)


def test_an_output_whose_extension_its_source_does_not_tell_is_made_again_but_not_written(pipeline):
    pipeline.upload("a.jpg", png(photo((60, 40))))
    wanted = replace(FIXED, key="out/a", extended=True)

    assert run(pipeline, wanted).output("compressed").key == "out/a.png"
    writes = pipeline.storage.writes
    run(pipeline, wanted)

    assert pipeline.storage.writes == writes


def test_an_original_is_replaced_marked_and_then_left_alone(pipeline):
    told: list[str] = []

    record = run(pipeline, IN_PLACE, told)

    stored = pipeline.storage.get("uploads", "a.jpg", max_bytes=10**6)
    assert told == ["look", "fetch", "transform", "put"]
    assert stored.size == record.output("compressed").bytes < len(JPEG)
    assert stored.metadata == {"image-pipeline-compressed": "quality=80"} and not stored.is_output
    with pytest.raises(SkipError, match="already done"):
        run(pipeline, IN_PLACE)


def test_a_compressed_original_is_still_an_upload_to_the_pipeline(pipeline):
    run(pipeline, IN_PLACE)

    record = pipeline.run("a.jpg")

    assert record.outcome == "DONE" and len(record.outputs) == 2


@pytest.mark.parametrize(("meanwhile", "code"), [("overwritten", Code.CONFLICT), ("removed", Code.FILE_DELETED)])
def test_an_original_that_changed_meanwhile_is_left_as_it_is_now(pipeline, meanwhile, code):
    def change(step, facts):
        if step == "transform" and meanwhile == "overwritten":
            pipeline.upload("a.jpg", ANOTHER)
        elif step == "transform":
            pipeline.storage.remove("uploads", "a.jpg")

    with pytest.raises(SkipError) as skipped:
        pipeline.run("a.jpg", outputs=(IN_PLACE,), record=False, watch=change)

    present = pipeline.storage.get("uploads", "a.jpg", max_bytes=10**6)
    assert skipped.value.code is code
    assert (present.data if present else None) == (ANOTHER if meanwhile == "overwritten" else None)


@pytest.mark.parametrize("wanted", [FIXED, IN_PLACE])
def test_a_source_that_is_gone_is_skipped_with_its_code(pipeline, wanted):
    pipeline.storage.remove("uploads", "a.jpg")

    with pytest.raises(SkipError) as skipped:
        run(pipeline, wanted)

    assert skipped.value.code is Code.FILE_DELETED


def test_a_transform_of_the_callers_own_decides(pipeline):
    def reluctant(data, options, *, decoding):
        raise SkipError("saves too little")

    pipeline.transform = reluctant

    with pytest.raises(SkipError, match="saves too little"):
        run(pipeline, IN_PLACE)

    assert pipeline.storage.get("uploads", "a.jpg", max_bytes=10**6).data == JPEG


def test_a_source_with_a_long_name_leaves_room_in_the_metadata(pipeline):
    version = pipeline.storage.head("uploads", "a.jpg")

    origin = Origin.of("uploads", "é" * 500, version, "hash")

    assert len(origin.source) < 100 and origin != Origin.of("uploads", "è" * 500, version, "hash")


def test_an_object_that_is_damaged_on_its_way_is_read_again_later(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    s3 = make_client(None, "s3", region="us-east-1")
    headers: Any = {"ETag": '"e"', "Content-Length": "4", "x-amz-checksum-crc32": "AAAAAA=="}
    damaged = AWSResponse("http://s3", 200, headers, HTTPResponse(BytesIO(b"data"), preload_content=False))

    def answer(**call: Any) -> Any:
        return damaged

    s3.meta.events.register("before-send.s3.GetObject", answer)

    with pytest.raises(RetryError, match="checksum"):
        Storage(s3).get("uploads", "a.jpg", max_bytes=100)
