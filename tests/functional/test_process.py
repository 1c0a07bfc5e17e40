from dataclasses import replace

import pytest

from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.images.options import OutputOptions
from pipeline.job import Job, Outcome, S3Source
from pipeline.process import STEPS, process
from tests.functional.pipeline_in_memory import WANTED
from tests.images import exif, jpeg, photo, truncated

JPEG = jpeg(photo((600, 400)), quality=95)
ANOTHER = jpeg(photo((300, 500)), quality=95)


def test_an_upload_becomes_a_record_and_two_outputs(pipeline):
    pipeline.upload("trip/été + 1.jpg", JPEG)

    record = pipeline.run("trip/été + 1.jpg")

    assert record == pipeline.records.items["trip/été + 1.jpg"]
    assert record.outcome is Outcome.DONE
    assert (record.pixel_width, record.pixel_height, record.image_format) == (600, 400, "JPEG")
    assert pipeline.outputs == record.output_keys and len(pipeline.outputs) == 2
    thumbnail, compressed = record.output("thumbnail"), record.output("compressed")
    assert thumbnail.key.startswith("thumbnails/trip/été + 1.jpg/") and thumbnail.key.endswith(".webp")
    assert compressed.key.startswith("compressed/trip/été + 1.jpg/") and compressed.key.endswith(".jpg")
    assert thumbnail.size == (256, 171) and compressed.size == (600, 400)
    assert compressed.bytes < record.original_bytes == len(JPEG)
    assert thumbnail.url.startswith("http://127.0.0.1/outputs/thumbnails/trip/%C3%A9t%C3%A9%20%2B%201.jpg/")


def test_the_facts_of_the_camera_reach_the_record(pipeline):
    pipeline.upload(
        "a.jpg", jpeg(photo(), exif=exif(orientation=6, taken="2024:05:01 10:00:00", offset="+02:00", model="One"))
    )

    record = pipeline.run("a.jpg")

    assert (record.pixel_width, record.pixel_height) == (200, 300)
    assert (record.taken_at, record.camera_model) == ("2024-05-01T10:00:00+02:00", "One")
    assert record.placeholder


def test_every_step_is_told_in_order(pipeline):
    told = []
    pipeline.upload("a.jpg", JPEG)

    pipeline.run("a.jpg", watch=lambda step, facts: told.append(step))

    assert told == ["fetch", "transform", "put", "put", "record", "confirm"]
    assert set(told) < set(STEPS)


def test_a_message_that_comes_twice_changes_nothing(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    writes, items = pipeline.storage.writes, dict(pipeline.records.items)

    with pytest.raises(SkipError, match="already done"):
        pipeline.run("a.jpg", deliveries=2)

    assert (pipeline.storage.writes, pipeline.records.items) == (writes, items)


def test_force_does_it_again_and_ends_with_the_same_outputs(pipeline):
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg")

    again = pipeline.run("a.jpg", force=True)

    assert again.processed_at > first.processed_at
    assert pipeline.outputs == first.output_keys == again.output_keys


@pytest.mark.parametrize("is_there", [True, False])
def test_force_takes_away_what_no_record_names_any_more(pipeline, is_there):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.records.items.clear()
    pipeline.upload("a.jpg", ANOTHER)
    if not is_there:
        pipeline.storage.remove("uploads", "a.jpg")
    pipeline.storage.clock.pass_seconds(200)

    pipeline.run_to_the_end("a.jpg", force=True)

    record = pipeline.records.items.get("a.jpg")
    assert pipeline.outputs == (record.output_keys if record else set())
    assert (record is not None) == is_there


def test_other_options_replace_the_outputs(pipeline):
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg")
    small = replace(WANTED[0], options=OutputOptions(fit=(64, 64), format="WEBP"))
    job = Job(source=S3Source("uploads", "a.jpg"), outputs=(small, WANTED[1]))

    record = process(job, pipeline.services).record

    assert record.output("thumbnail").size == (64, 43)
    assert pipeline.outputs == record.output_keys
    assert not record.output_keys & first.output_keys


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.INVALID_CONTENT),
        (b"%PDF-1.7 not a picture", Code.INVALID_EXTENSION),
        (truncated(JPEG), Code.TRUNCATED_IMAGE),
        (jpeg()[:20] + b"\xff\xd9", Code.CORRUPT_FILE),
    ],
    ids=lambda value: str(value) if isinstance(value, Code) else "",
)
def test_a_bad_image_becomes_a_failed_record_with_its_code(pipeline, data, code):
    pipeline.upload("bad.jpg", data)

    record = pipeline.run("bad.jpg")

    assert (record.outcome, record.error_code, record.outputs) == (Outcome.FAILED, code, ())
    assert record.error_message and record.original_bytes == len(data)
    assert pipeline.outputs == set()


@pytest.mark.parametrize(("data", "ended"), [(b"", Code.INVALID_CONTENT), (JPEG, None)])
def test_a_key_that_looks_like_a_folder_is_judged_by_what_it_holds(pipeline, data, ended):
    pipeline.upload("holiday/", data)

    record = pipeline.run("holiday/")

    assert (record.image_id, record.error_code) == ("holiday/", ended)
    assert pipeline.outputs == set(record.output_keys) and len(pipeline.outputs) == (2 if ended is None else 0)


def test_an_object_over_the_byte_limit_is_refused_unread(pipeline):
    pipeline.upload("huge.jpg", JPEG[:10] + b"\0" * 50_000_000)

    record = pipeline.run("huge.jpg")

    assert record.error_code is Code.TOO_LARGE and "50000010" in record.error_message


def test_a_bad_version_after_a_good_one_takes_the_outputs_away(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.upload("a.jpg", b"no picture")

    record = pipeline.run("a.jpg")

    assert record.outcome is Outcome.FAILED and pipeline.outputs == set()


def test_a_new_version_replaces_the_outputs_of_the_old_one(pipeline):
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg")
    pipeline.upload("a.jpg", ANOTHER)

    second = pipeline.run("a.jpg")

    assert pipeline.outputs == second.output_keys and not second.output_keys & first.output_keys


def test_removing_the_original_removes_record_and_outputs(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.storage.remove("uploads", "a.jpg")

    assert pipeline.run("a.jpg") is None

    assert not pipeline.outputs and not pipeline.records.items


@pytest.mark.parametrize(
    "edited",
    [
        lambda record: None,
        # What is read of a record whose list of outputs is damaged, or a part of it.
        lambda record: replace(record, outcome=Outcome.FAILED, outputs=()),
        lambda record: replace(record, outcome=Outcome.FAILED, outputs=record.outputs[:1]),
        lambda record: replace(record, outputs=(replace(record.outputs[0], key="thumbnails/b.jpg/0.webp"),)),
    ],
)
def test_outputs_go_with_the_original_although_a_user_deleted_or_edited_the_record(pipeline, edited):
    pipeline.upload("a.jpg", JPEG)
    record = edited(pipeline.run("a.jpg"))
    pipeline.records.items = {"a.jpg": record} if record else {}
    pipeline.storage.remove("uploads", "a.jpg")

    # A worker may still be at them.
    with pytest.raises(RetryError, match="too young") as retry:
        pipeline.run("a.jpg")
    pipeline.storage.clock.pass_seconds(retry.value.after)
    pipeline.run_to_the_end("a.jpg")

    assert not pipeline.outputs and not pipeline.records.items


def test_to_remove_an_image_with_its_record_nothing_is_listed(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.storage.remove("uploads", "a.jpg")
    pipeline.storage.list_folder = lambda *_: pytest.fail("it lists")

    assert pipeline.run("a.jpg") is None and not pipeline.outputs


def test_the_record_of_another_image_that_was_copied_costs_that_image_nothing(pipeline):
    for key in ("a.jpg", "b.jpg"):
        pipeline.upload(key, JPEG)
    first = pipeline.run("a.jpg")
    # As a person may do with PartiQL.
    pipeline.records.items["b.jpg"] = replace(first, image_id="b.jpg")
    pipeline.records.items["c.jpg"] = replace(first, image_id="c.jpg")

    second = pipeline.run("b.jpg")
    pipeline.run("c.jpg")

    assert first.output_keys | second.output_keys == pipeline.outputs and not first.output_keys & second.output_keys


def test_a_message_about_an_object_that_is_gone_is_skipped(pipeline):
    with pytest.raises(SkipError) as skipped:
        pipeline.run("never.jpg")

    assert skipped.value.code is Code.FILE_DELETED


def test_the_same_bytes_uploaded_again_are_a_new_version_with_outputs_of_its_own(pipeline):
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg")
    pipeline.upload("a.jpg", JPEG)

    again = pipeline.run("a.jpg")

    assert again.version_id != first.version_id and pipeline.outputs == again.output_keys
    assert not again.output_keys & first.output_keys


def test_without_versions_the_same_bytes_uploaded_again_change_nothing(pipeline):
    pipeline.storage.versioned = ()
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg")
    pipeline.upload("a.jpg", JPEG)

    with pytest.raises(SkipError, match="already done"):
        pipeline.run("a.jpg")

    assert pipeline.records.items["a.jpg"] == first


def test_a_good_version_after_a_bad_one_has_a_record_without_its_error(pipeline):
    pipeline.upload("a.jpg", b"no picture")
    pipeline.run("a.jpg")
    pipeline.upload("a.jpg", JPEG)

    record = pipeline.run("a.jpg")

    assert (record.outcome, record.error_code) == (Outcome.DONE, None) and pipeline.outputs == record.output_keys


def test_an_output_of_ours_is_never_input(pipeline):
    pipeline.storage.put("uploads", "a.webp", JPEG, is_output=True)

    with pytest.raises(SkipError, match="output of this pipeline"):
        pipeline.run("a.webp")

    assert not pipeline.outputs


def test_an_output_that_is_copied_over_its_source_takes_the_record_of_that_away(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.storage.put("uploads", "a.jpg", jpeg(), is_output=True)

    record = pipeline.run("a.jpg")

    assert record is None and not pipeline.records.items and not pipeline.outputs
    with pytest.raises(SkipError, match="output of this pipeline"):
        pipeline.run("a.jpg")


def test_a_write_that_won_although_its_answer_was_lost_counts_as_ours(pipeline):
    accept = pipeline.records.put

    def lose_the_answer(record, *, replacing):
        accept(record, replacing=replacing)
        return False

    pipeline.upload("a.jpg", JPEG)
    pipeline.records.put = lose_the_answer

    record = pipeline.run("a.jpg")

    assert pipeline.records.items["a.jpg"] == record and pipeline.outputs == record.output_keys


def test_a_job_without_a_record_gives_its_refusal_to_the_caller(pipeline):
    pipeline.upload("a.jpg", b"no picture")

    with pytest.raises(RejectError) as refused:
        pipeline.run("a.jpg", record=False)

    assert refused.value.code is Code.INVALID_EXTENSION and not pipeline.records.items
