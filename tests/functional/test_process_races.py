"""Whoever changes an object, or dies, while it is worked on: what is there in the end fits the object all the same."""

from dataclasses import replace

import pytest

from pipeline.errors import RetryError, SkipError
from pipeline.images.options import OutputOptions
from pipeline.job import Outcome
from pipeline.process import ATTEMPTS, STEPS
from tests.functional.pipeline_in_memory import WANTED
from tests.images import jpeg, photo

JPEG = jpeg(photo((600, 400)), quality=95)
ANOTHER = jpeg(photo((300, 500)), quality=95)


def at(step, act, times=1):
    """A watch that acts the first `times` that it is told of `step`."""
    left = [times]

    def watch(told, facts):
        if told == step and left[0]:
            left[0] -= 1
            act()

    return watch


def test_a_late_event_of_a_deletion_leaves_the_new_object_alone(pipeline):
    pipeline.upload("a.jpg", JPEG)
    record = pipeline.run("a.jpg")

    with pytest.raises(SkipError, match="already done"):
        pipeline.run("a.jpg")

    assert pipeline.outputs == record.output_keys


@pytest.mark.parametrize("step", ["fetch", "transform", "put", "record"])
def test_an_object_that_is_overwritten_meanwhile_ends_as_its_new_version(pipeline, step):
    pipeline.upload("a.jpg", JPEG)

    record = pipeline.run("a.jpg", watch=at(step, lambda: pipeline.upload("a.jpg", ANOTHER)))

    assert (record.pixel_width, record.pixel_height) == (300, 500)
    assert record == pipeline.records.items["a.jpg"] and pipeline.outputs == record.output_keys


@pytest.mark.parametrize("step", ["fetch", "transform", "put", "record"])
def test_an_object_that_is_deleted_meanwhile_leaves_nothing(pipeline, step):
    pipeline.upload("a.jpg", JPEG)

    record = pipeline.run("a.jpg", watch=at(step, lambda: pipeline.storage.remove("uploads", "a.jpg")))

    assert record is None and not pipeline.outputs and not pipeline.records.items


def test_an_object_that_comes_back_while_it_is_removed_is_made(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.storage.remove("uploads", "a.jpg")

    record = pipeline.run("a.jpg", watch=at("unrecord", lambda: pipeline.upload("a.jpg", ANOTHER)))

    assert record.pixel_width == 300 and pipeline.outputs == record.output_keys


def test_an_object_that_never_holds_still_goes_back_to_the_queue(pipeline):
    pipeline.upload("a.jpg", JPEG)

    with pytest.raises(RetryError, match="changed 3 times"):
        pipeline.run("a.jpg", watch=at("record", lambda: pipeline.upload("a.jpg", JPEG), times=ATTEMPTS))


@pytest.mark.parametrize("step", ["fetch", "transform", "put", "record", "confirm"])
def test_two_workers_at_once_end_in_one_record_and_its_outputs(pipeline, step):
    pipeline.upload("a.jpg", JPEG)

    def the_other_worker():
        try:
            pipeline.run("a.jpg")
        except SkipError:
            pass

    try:
        pipeline.run("a.jpg", watch=at(step, the_other_worker))
    except SkipError:
        pass

    record = pipeline.records.items["a.jpg"]
    assert record.outcome is Outcome.DONE and pipeline.outputs == record.output_keys


class Death(BaseException):
    """The process dies here: nothing of ours can catch it."""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("story", ["made", "replaced", "removed"])
def test_a_worker_that_dies_after_any_step_is_made_good_by_the_next_delivery(pipeline, step, story):
    def die():
        raise Death

    pipeline.upload("a.jpg", JPEG)
    if story != "made":
        pipeline.run("a.jpg")
        pipeline.upload("a.jpg", ANOTHER)
    if story == "removed":
        pipeline.storage.remove("uploads", "a.jpg")
    try:
        pipeline.run("a.jpg", watch=at(step, die))
    except Death:
        pipeline.storage.clock.pass_seconds(720)
        try:
            pipeline.run("a.jpg", deliveries=2)
        except SkipError:
            pass

    record = pipeline.records.items.get("a.jpg")
    assert (record is None) == (story == "removed")
    assert pipeline.outputs == (record.output_keys if record else set())


def test_outputs_of_a_worker_that_may_still_be_alive_are_left_alone(pipeline):
    pipeline.upload("a.jpg", JPEG)
    record = pipeline.run("a.jpg")
    abandoned, young = "thumbnails/a.jpg/00000000.webp", "thumbnails/a.jpg/11111111.webp"
    pipeline.storage.put("outputs", abandoned, b"x", is_output=True)
    pipeline.storage.clock.pass_seconds(170)
    pipeline.storage.put("outputs", young, b"x", is_output=True)
    pipeline.storage.put("outputs", "thumbnails/a.jpg/b.jpg/22222222.webp", b"x", is_output=True)
    pipeline.storage.clock.pass_seconds(170)

    # It comes back when they are old enough, not before and not much later.
    with pytest.raises(RetryError, match="too young") as retry:
        pipeline.run("a.jpg", deliveries=2)

    assert 10 <= retry.value.after <= 12
    assert pipeline.outputs == record.output_keys | {young, "thumbnails/a.jpg/b.jpg/22222222.webp"}
    pipeline.storage.clock.pass_seconds(retry.value.after)
    with pytest.raises(SkipError):
        pipeline.run("a.jpg", deliveries=3)
    assert pipeline.outputs == record.output_keys | {"thumbnails/a.jpg/b.jpg/22222222.webp"}


def test_outputs_that_could_not_be_deleted_are_deleted_when_the_message_comes_back_early(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.upload("a.jpg", ANOTHER)
    delete = pipeline.storage.delete
    pipeline.storage.delete = refuse
    with pytest.raises(RetryError, match="SlowDown"):
        pipeline.run("a.jpg")
    pipeline.storage.delete = delete

    pipeline.storage.clock.pass_seconds(10)
    with pytest.raises(RetryError) as retry:
        pipeline.run("a.jpg", deliveries=2)
    pipeline.storage.clock.pass_seconds(retry.value.after)
    with pytest.raises(SkipError):
        pipeline.run("a.jpg", deliveries=3)

    assert pipeline.outputs == pipeline.records.items["a.jpg"].output_keys


def refuse(*arguments, **options):
    raise RetryError("SlowDown")


def before_deleting(pipeline, act):
    """Act once, right before outputs are deleted: where a slow worker may stand while others go on."""
    delete = pipeline.storage.delete

    def late(bucket, keys):
        pipeline.storage.delete = delete
        act()
        delete(bucket, keys)

    pipeline.storage.delete = late


def test_a_version_that_comes_back_while_its_outputs_are_deleted_has_them_again(pipeline):
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg")
    stored = pipeline.storage.objects["uploads", "a.jpg"]
    pipeline.upload("a.jpg", ANOTHER)

    def take_the_new_version_away():
        pipeline.storage.objects["uploads", "a.jpg"] = stored
        assert pipeline.run("a.jpg").output_keys == first.output_keys

    before_deleting(pipeline, take_the_new_version_away)
    pipeline.run_to_the_end("a.jpg")

    assert pipeline.records.items["a.jpg"].version_id == first.version_id
    assert pipeline.outputs == first.output_keys


def test_an_object_that_comes_back_while_its_outputs_are_deleted_has_them_again(pipeline):
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg")
    stored = pipeline.storage.objects.pop(("uploads", "a.jpg"))

    def take_the_delete_marker_away():
        pipeline.storage.objects["uploads", "a.jpg"] = stored
        pipeline.run("a.jpg")

    before_deleting(pipeline, take_the_delete_marker_away)
    pipeline.run_to_the_end("a.jpg")

    assert pipeline.records.items["a.jpg"].output_keys == pipeline.outputs == first.output_keys


def test_a_worker_of_an_older_release_does_not_take_the_outputs_of_a_newer_one(pipeline):
    small = (replace(WANTED[0], options=OutputOptions(fit=(64, 64), format="WEBP")), WANTED[1])
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg", outputs=small)

    # The older one makes its own outputs, and is about to delete those of the newer when that one makes them again.
    before_deleting(pipeline, lambda: pipeline.run("a.jpg", outputs=small, force=True))
    pipeline.run_to_the_end("a.jpg", force=True)

    assert pipeline.outputs == pipeline.records.items["a.jpg"].output_keys


def test_an_output_that_is_deleted_after_it_was_found_in_place_is_made_again(pipeline):
    pipeline.upload("a.jpg", JPEG)
    first = pipeline.run("a.jpg")
    pipeline.records.items.clear()

    def another_worker_deletes():
        pipeline.storage.delete("outputs", first.output_keys)

    record = pipeline.run("a.jpg", watch=at("record", another_worker_deletes))

    assert pipeline.outputs == record.output_keys == first.output_keys


def test_a_redelivery_makes_outputs_again_that_a_worker_deleted_before_it_died(pipeline):
    pipeline.upload("a.jpg", JPEG)
    record = pipeline.run("a.jpg")
    pipeline.storage.delete("outputs", {record.output("thumbnail").key})

    again = pipeline.run("a.jpg", deliveries=2)

    assert pipeline.outputs == again.output_keys == record.output_keys
