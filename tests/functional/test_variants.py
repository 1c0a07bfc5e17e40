"""Variants on their way: beside the compressed image, in the record, and gone with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.consume import consume
from pipeline.errors import SkipError
from pipeline.images.isolate import transform_isolated
from pipeline.images.transform import Transformed, transform
from pipeline.images.variants import Variants
from pipeline.messages import Message, Uploads, outputs_of
from pipeline.table.items import from_item, to_item
from tests.functional.pipeline_in_memory import WANTED, Pipeline
from tests.images import jpeg, photo

JPEG = jpeg(photo((600, 400)), quality=95)
VARIANTS = outputs_of(Variants(("WEBP", "AVIF"), (100, 400)), "outputs")
NAMES = ["webp-100", "avif-100", "webp-400", "avif-400"]


def test_without_variants_all_is_as_it_ever_was():
    assert outputs_of(Variants(), "outputs") == WANTED


def test_the_record_lists_what_was_put_and_nothing_else_lies_there(pipeline):
    pipeline.upload("trip/été.jpg", JPEG)

    record = pipeline.run("trip/été.jpg", outputs=VARIANTS)

    assert [output.name for output in record.outputs] == ["thumbnail", "compressed", *NAMES]
    assert pipeline.outputs == record.output_keys and len(pipeline.outputs) == 6
    assert {key.rsplit("/", 1)[0] for key in pipeline.outputs} == {
        "thumbnails/trip/été.jpg",
        "compressed/trip/été.jpg",
    }
    assert record.output("avif-400").content_type == "image/avif"
    assert record.output("avif-400").size == (400, 267)


def test_a_record_with_variants_is_read_back_as_it_was_written(pipeline):
    pipeline.upload("a.jpg", JPEG)
    record = pipeline.run("a.jpg", outputs=VARIANTS)

    assert from_item(to_item(record)) == record


def test_the_same_image_twice_is_the_same_set_of_keys(pipeline):
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg", outputs=VARIANTS)

    again = pipeline.run("a.jpg", outputs=VARIANTS, force=True)

    assert again.output_keys == first.output_keys == pipeline.outputs


def test_variants_go_with_the_image(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg", outputs=VARIANTS)
    pipeline.storage.remove("uploads", "a.jpg")

    pipeline.run("a.jpg", outputs=VARIANTS)

    assert pipeline.outputs == set() and not pipeline.records.items


def test_when_variants_are_switched_on_what_is_done_is_done_again_and_off_again_likewise(pipeline):
    pipeline.upload("a.jpg", JPEG)
    plain = pipeline.run("a.jpg")

    with_variants = pipeline.run("a.jpg", outputs=VARIANTS)
    assert pipeline.outputs == with_variants.output_keys and not with_variants.output_keys & plain.output_keys
    with pytest.raises(SkipError, match="already done"):
        pipeline.run("a.jpg", outputs=VARIANTS)

    without = pipeline.run("a.jpg")
    assert pipeline.outputs == without.output_keys == plain.output_keys


def test_variants_that_a_dead_worker_left_are_found_although_they_are_switched_off_by_now(pipeline):
    pipeline.upload("a.jpg", JPEG)

    def die_before_the_record(step, facts):
        if step == "put" and len(pipeline.outputs) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.run("a.jpg", outputs=VARIANTS, watch=die_before_the_record)
    assert len(pipeline.outputs) == 6
    pipeline.storage.clock.pass_seconds(1000)

    record = pipeline.run("a.jpg", deliveries=2)

    assert pipeline.outputs == record.output_keys and len(pipeline.outputs) == 2


def test_each_folder_is_listed_once_however_many_outputs_lie_there(pipeline):
    listed = []
    plain = pipeline.storage.list_folder

    def list_folder(bucket, prefix):
        listed.append(prefix)
        return plain(bucket, prefix)

    pipeline.storage.list_folder = list_folder
    pipeline.upload("a.jpg", JPEG)

    pipeline.run("a.jpg", outputs=VARIANTS, deliveries=2)

    assert listed == ["thumbnails/a.jpg/", "compressed/a.jpg/"]


def without_the_largest(data: bytes, options, **arguments) -> Transformed:
    made = transform(data, options, **arguments)
    return replace(made, outputs=made.outputs[:-1], left_out=(made.outputs[-1].name,))


def test_an_image_whose_variants_took_too_long_is_done_and_the_log_says_which_are_missing():
    pipeline = Pipeline(transform=without_the_largest)
    pipeline.upload("a.jpg", JPEG)
    said = []

    body = '{"bucket_name": "uploads", "image_key": "a.jpg"}'
    consume(Message(body, "id"), Uploads("uploads", VARIANTS), pipeline.services, lambda *told: said.append(told))

    ((outcome, facts),) = said
    assert outcome == "DONE" and facts["left_out"] == ["avif-400"] and facts["webp-400"] > 0
    assert pipeline.outputs == pipeline.records.items["a.jpg"].output_keys


def test_what_another_worker_left_out_is_no_orphan_when_it_comes_second(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg", outputs=VARIANTS)

    hurried = Pipeline(pipeline.storage, pipeline.records, transform=without_the_largest)
    record = hurried.run("a.jpg", outputs=VARIANTS, force=True)

    assert pipeline.outputs == record.output_keys and len(pipeline.outputs) == 5


def test_a_child_makes_the_same_variants():
    options = Variants(("WEBP", "AVIF"), (100, 400)).image_options

    assert transform_isolated(JPEG, options) == transform(JPEG, options)
