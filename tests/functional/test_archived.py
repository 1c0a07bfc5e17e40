"""Originals in an archive of S3: it tells of them, and gives out nothing of their bytes until they are restored."""

from dataclasses import replace

import pytest

from pipeline.errors import Code, RetryError, SkipError
from pipeline.images.options import OutputOptions
from pipeline.job import Outcome
from tests.functional.pipeline_in_memory import WANTED
from tests.images import jpeg, photo

JPEG = jpeg(photo((60, 40)), quality=95)
OTHER_OPTIONS = (replace(WANTED[0], options=OutputOptions(fit=(16, 16), format="WEBP")), WANTED[1])


def test_a_new_version_in_an_archive_is_a_failed_record_and_takes_the_outputs_of_the_old_one_away(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.upload("a.jpg", JPEG)
    pipeline.storage.archived.add("a.jpg")

    record = pipeline.run("a.jpg")

    assert (record.outcome, record.error_code) == (Outcome.FAILED, Code.ARCHIVED)
    assert record.original_bytes == len(JPEG)
    assert pipeline.records.items["a.jpg"] == record and not pipeline.outputs


def test_it_is_made_when_it_has_been_restored(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.storage.archived.add("a.jpg")
    pipeline.run("a.jpg")
    pipeline.storage.archived.clear()

    record = pipeline.run("a.jpg")

    assert record.outcome is Outcome.DONE and pipeline.outputs == record.output_keys


@pytest.mark.parametrize("asked", [{}, {"deliveries": 2}, {"force": True}, {"outputs": OTHER_OPTIONS}], ids=str)
def test_what_was_done_before_it_was_archived_stays_done(pipeline, asked):
    pipeline.upload("a.jpg", JPEG)
    record = pipeline.run("a.jpg")
    pipeline.storage.archived.add("a.jpg")

    with pytest.raises(SkipError, match="already done"):
        pipeline.run("a.jpg", **asked)

    assert pipeline.records.items["a.jpg"] == record and pipeline.outputs == record.output_keys


def test_one_that_is_deleted_is_removed_like_any_other(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.run("a.jpg")
    pipeline.storage.archived.add("a.jpg")
    pipeline.storage.remove("uploads", "a.jpg")

    assert pipeline.run("a.jpg") is None and not pipeline.outputs


def test_who_keeps_no_record_is_told_why_it_cannot_be_read(pipeline):
    pipeline.upload("a.jpg", JPEG)
    pipeline.storage.archived.add("a.jpg")

    with pytest.raises(RetryError, match="InvalidObjectState"):
        pipeline.run("a.jpg", record=False)
