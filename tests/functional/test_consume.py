import json

import pytest

from pipeline.consume import consume
from pipeline.errors import RetryError
from pipeline.messages import Message, Uploads
from tests.functional.pipeline_in_memory import WANTED, Pipeline
from tests.images import jpeg, photo

UPLOADS = Uploads("uploads", WANTED)
JPEG = jpeg(photo((300, 200)), quality=95)


def told(pipeline: Pipeline, body: object) -> list[tuple[str, dict[str, object]]]:
    reports: list[tuple[str, dict[str, object]]] = []
    consume(
        Message(body if isinstance(body, str) else json.dumps(body), "id"),
        UPLOADS,
        pipeline.services,
        lambda outcome, facts: reports.append((outcome, dict(facts))),
        clock=lambda: 1.0,
    )
    return reports


def event(*keys: str) -> dict[str, object]:
    def record(key):
        return {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "uploads"}, "object": {"key": key}}}

    return {"Records": [record(key) for key in keys]}


def test_every_object_of_a_message_is_done_whatever_becomes_of_the_others(pipeline):
    pipeline.upload("good.jpg", JPEG)
    pipeline.upload("bad.jpg", b"no picture")

    reports = told(pipeline, event("gone.jpg", "bad.jpg", "good.jpg"))

    assert [(outcome, facts["key"]) for outcome, facts in reports] == [
        ("SKIPPED", "gone.jpg"),
        ("FAILED", "bad.jpg"),
        ("DONE", "good.jpg"),
    ]
    assert reports[1][1]["code"] == "INVALID_EXTENSION"
    assert reports[2][1]["bytes"] == len(JPEG) and reports[2][1]["ms"] == 0


def test_a_removal_is_reported_as_one(pipeline):
    pipeline.upload("a.jpg", JPEG)
    told(pipeline, event("a.jpg"))
    pipeline.storage.remove("uploads", "a.jpg")

    assert [outcome for outcome, _ in told(pipeline, event("a.jpg"))] == ["REMOVED"]


def test_a_message_that_cannot_be_understood_is_let_go(pipeline):
    [(outcome, facts)] = told(pipeline, "not JSON")

    assert (outcome, facts["code"]) == ("REJECTED", "INVALID_MESSAGE")


def test_a_message_about_a_foreign_bucket_touches_nothing(pipeline):
    pipeline.storage.put("theirs", "a.jpg", JPEG)

    [(outcome, facts)] = told(pipeline, {"bucket_name": "theirs", "image_key": "a.jpg"})

    assert (outcome, facts["code"]) == ("REJECTED", "FOREIGN_BUCKET")
    assert not pipeline.records.items and not pipeline.outputs


def test_one_object_that_needs_another_try_sends_the_message_back_after_the_others_are_done(pipeline):
    pipeline.upload("good.jpg", JPEG)
    get = pipeline.storage.get

    def slow_down(bucket, key, *, max_bytes):
        if key == "slow.jpg":
            raise RetryError("SlowDown", after=7)
        return get(bucket, key, max_bytes=max_bytes)

    pipeline.storage.get = slow_down

    with pytest.raises(RetryError) as retry:
        told(pipeline, event("slow.jpg", "good.jpg"))

    assert retry.value.after == 7 and "good.jpg" in pipeline.records.items


def test_a_bug_is_told_with_its_key_and_comes_out_after_the_others_are_done(pipeline):
    pipeline.upload("good.jpg", JPEG)
    reports: list[tuple[str, object]] = []
    get = pipeline.storage.get

    def broken(bucket, key, **limits):
        if key == "bug.jpg":
            raise ZeroDivisionError("a bug")
        return get(bucket, key, **limits)

    pipeline.storage.get = broken

    with pytest.raises(ZeroDivisionError):
        consume(
            Message(json.dumps(event("bug.jpg", "good.jpg")), "id"),
            UPLOADS,
            pipeline.services,
            lambda outcome, facts: reports.append((outcome, facts["key"])),
        )

    assert reports == [("BUG", "bug.jpg"), ("DONE", "good.jpg")]
