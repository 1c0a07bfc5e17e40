"""Second attempts at a batch: after a stop, a death, a hang or another job, what is done stays done. S3 is moto."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bulk.batch_job import BatchJob
from bulk.batch_results import ResultFile, Results, Row
from bulk.batch_run import BatchRun
from bulk.memory_gate import MemoryGate
from cli.exits import Exit, explain
from pipeline.batch.settings import BatchSettings
from pipeline.errors import Code, RejectError, RetryError
from pipeline.images.transform import transform
from pipeline.services import Services
from pipeline.storage import Storage
from tests.functional.compress_job import ENVIRON, GOOD, RESULTS, work
from tests.images import jpeg, photo, png


def test_a_second_job_fetches_nothing_and_writes_no_image(buckets):
    buckets.put("photos", "a.jpg", GOOD)
    buckets.put("photos", "b.png", png(photo((64, 48))))
    buckets.list("s3://photos/a.jpg", "s3://photos/b.png")
    work(buckets)
    before = buckets.etags()

    _, job = work(buckets)

    assert buckets.calls.count("GetObject") == 2  # both of the results, none of an image
    assert buckets.calls.count("PutObject") == 1
    assert {key: etag for key, etag in buckets.etags().items() if "_results" not in key}.items() <= before.items()
    assert (len(job.rows), job.failed) == (2, 0)


def test_an_image_whose_name_lies_is_not_fetched_again_either(buckets):
    buckets.put("photos", "a.jpg", png(photo((64, 48))))
    buckets.list("s3://photos/a.jpg")
    work(buckets)

    for _ in range(2):
        work(buckets)
        assert buckets.calls.count("GetObject") == 2  # both of the results
        assert [row["key"] for row in buckets.results()["rows"]] == ["compressed/photos/a.jpg.png"]


def test_a_retry_makes_what_is_missing_and_what_has_a_new_source(buckets):
    for name in "abc":
        buckets.put("photos", f"{name}.jpg", GOOD)
    buckets.list(*(f"s3://photos/{name}.jpg" for name in "abc"))
    work(buckets)
    before = buckets.etags()
    buckets.client.delete_object(Bucket="out", Key="compressed/photos/a.jpg.jpg")
    buckets.put("photos", "b.jpg", jpeg(photo((48, 64)), quality=95))

    work(buckets)

    after = buckets.etags()
    assert buckets.calls.count("PutObject") == 2 + 2  # two images, one of which meets the older output; results
    assert after["compressed/photos/a.jpg.jpg"] == before["compressed/photos/a.jpg.jpg"]
    assert after["compressed/photos/b.jpg.jpg"] != before["compressed/photos/b.jpg.jpg"]


def test_a_job_that_is_stopped_keeps_what_it_has_and_its_next_attempt_asks_for_the_rest_only(buckets, capsys):
    for number in range(6):
        buckets.put("photos", f"{number}.jpg", GOOD)
    buckets.list(*(f"s3://photos/{number}.jpg" for number in range(6)))
    stop, own = threading.Event(), {"AWS_BATCH_JOB_ID": "job:0"}
    job = BatchJob.of(ENVIRON | own, 1)
    job.s3.meta.events.register("after-call.s3.PutObject", lambda **_: stop.set())

    finished = job.run(stop)
    kept = buckets.results()
    again, second = work(buckets, **own, AWS_BATCH_JOB_ATTEMPT="2")

    assert (finished, kept["stopped"], kept["compressed"], kept["left"]) == (False, True, 1, 5)
    assert again and len(second.rows) == 6
    assert buckets.calls.count("HeadObject") == 2 * 5
    assert capsys.readouterr().out.splitlines() == ["Compressed 1/6 files.", "Compressed 6/6 files."]


def test_a_second_attempt_looks_at_what_only_an_older_job_has_done(buckets):
    images = [f"s3://photos/{number}.jpg" for number in range(6)]
    for number in range(6):
        buckets.put("photos", f"{number}.jpg", GOOD)
    buckets.list(*images)
    work(buckets, AWS_BATCH_JOB_ID="older:0")
    outputs = buckets.keys()
    for key in outputs:
        buckets.client.delete_object(Bucket="out", Key=key)
    stop, own = threading.Event(), {"AWS_BATCH_JOB_ID": "job:0"}
    job = BatchJob.of(ENVIRON | own, 1)
    job.s3.meta.events.register("after-call.s3.PutObject", lambda **_: stop.set())

    job.run(stop)
    kept = buckets.results()
    finished, second = work(buckets, **own, AWS_BATCH_JOB_ATTEMPT="2")

    assert (kept["stopped"], kept["compressed"], kept["left"], len(kept["rows"])) == (True, 1, 5, 6)
    assert (finished, second.failed, buckets.keys()) == (True, 0, outputs)
    assert {row["job"] for row in buckets.results()["rows"]} == {"job:0"}


def test_rows_that_say_not_of_which_job_they_are_are_those_of_another(buckets):
    buckets.put("photos", "a.jpg", GOOD)
    buckets.list("s3://photos/a.jpg")
    row = {"image": "s3://photos/a.jpg", "outcome": "DONE", "key": "compressed/photos/a.jpg.jpg"}
    buckets.put("out", RESULTS, json.dumps({"job": "job:0", "stopped": True, "rows": [row]}).encode())

    work(buckets, AWS_BATCH_JOB_ID="job:0", AWS_BATCH_JOB_ATTEMPT="2")

    assert buckets.keys() == {"compressed/photos/a.jpg.jpg"}


def test_results_of_another_run_are_not_believed(buckets):
    buckets.put("photos", "a.jpg", GOOD)
    buckets.list("s3://photos/a.jpg")
    work(buckets, AWS_BATCH_JOB_ID="first:0")
    buckets.client.delete_object(Bucket="out", Key="compressed/photos/a.jpg.jpg")

    work(buckets, AWS_BATCH_JOB_ID="second:0")

    assert buckets.keys() == {"compressed/photos/a.jpg.jpg"}


class Trouble:
    """A transform that fails so many times for a passing reason."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def __call__(self, data, options, **more):
        if self.errors:
            raise self.errors.pop(0)
        return transform(data, options, **more)


def run_with(buckets, made, images, pauses=(0.0, 0.0), **more):
    rows: list[Row] = []
    settings = BatchSettings.from_environment(ENVIRON)
    services = Services(storage=Storage(buckets.client), budget=MemoryGate(10**9), transform=made, isolated=made)
    run = BatchRun(services, settings, rows.append, threading.Event(), workers=1, pauses=pauses, **more)
    return run.run(images), rows


@pytest.mark.parametrize("error", [RetryError("503"), KeyError("a bug"), ValueError("another")])
def test_what_may_pass_is_tried_again_at_the_end_and_then_given_up(buckets, error):
    buckets.put("photos", "a.jpg", GOOD)

    _, passing = run_with(buckets, Trouble(error, error), ["s3://photos/a.jpg"])
    buckets.client.delete_object(Bucket="out", Key="compressed/photos/a.jpg.jpg")
    _, staying = run_with(buckets, Trouble(error, error, error), ["s3://photos/a.jpg"])

    assert [row.outcome for row in passing] == ["DONE"]
    assert [(row.outcome, row.code) for row in staying] == [("FAILED", "GAVE_UP")]


def test_after_a_death_without_a_word_images_are_decoded_in_children(buckets):
    buckets.put("photos", "a.jpg", GOOD)
    in_children = []

    def isolated(data, options, **more):
        in_children.append(len(data))
        return transform(data, options, **more)

    services = Services(storage=Storage(buckets.client), budget=MemoryGate(10**9), isolated=isolated)
    settings = BatchSettings.from_environment(ENVIRON)
    BatchRun(services, settings, lambda row: None, threading.Event(), 1, suspicious=True).run(["s3://photos/a.jpg"])

    assert in_children == [len(GOOD)]


def test_an_image_at_which_a_job_hung_is_decoded_in_a_child_by_the_next_job(buckets):
    images = ["s3://photos/good.jpg", "s3://photos/endless.jpg"]
    for image, data in zip(images, (GOOD, png()), strict=True):
        buckets.put("photos", image.rpartition("/")[2], data)
    buckets.list(*images)
    stop, over, in_children = threading.Event(), threading.Event(), []

    def here(data, options, **more):
        if data == png():
            # Its time is up, as AWS Batch says with SIGTERM.
            stop.set()
            over.wait(60)
            raise RejectError(Code.CORRUPT_FILE, "nobody waits for this any more")
        return transform(data, options, **more)

    def isolated(data, options, **more):
        in_children.append(data)
        raise RejectError(Code.TOO_LARGE, "the image needs more than its limits")

    services = Services(storage=Storage(buckets.client), budget=MemoryGate(10**9), transform=here, isolated=isolated)
    first = replace(BatchJob.of(ENVIRON | {"AWS_BATCH_JOB_ID": "first:0"}, 1), services=services, grace=0.1)
    finished = first.run(stop)
    kept = buckets.results()
    over.set()
    second = replace(BatchJob.of(ENVIRON | {"AWS_BATCH_JOB_ID": "a retry:0"}, 1), services=services)
    again = second.run(threading.Event())

    assert (finished, again) == (False, True)
    assert (kept["hung"], kept["compressed"]) == (["s3://photos/endless.jpg"], 1)
    assert in_children == [png()]
    assert [row.code for row in second.rows.values()] == [None, "TOO_LARGE"] and "hung" not in buckets.results()


def test_two_jobs_for_one_batch_lose_no_row_of_each_other(buckets):
    settings = BatchSettings.from_environment(ENVIRON)
    one, two = (ResultFile(buckets.client, settings, 1) for _ in range(2))
    done = Row(image="a", outcome="DONE", key="k", job="one")

    one.write(Results(job="one", rows={"a": done}), ["a", "b"])
    two.write(Results(job="two", rows={"b": Row(image="b", outcome="DONE")}), ["a", "b"])

    assert one.read().rows["a"] == done
    assert set(one.read().rows) == {"a", "b"}

    # What S3 refused to the other may be an output that has gone since; whoever has just made it says so again.
    two.write(Results(job="two", rows={"a": Row(image="a", outcome="FAILED", code="GAVE_UP", job="two")}), ["a", "b"])
    one.write(Results(job="one", rows={"a": done}), ["a", "b"])

    assert one.read().rows["a"] == done
    assert set(one.read().rows) == {"a", "b"}


@pytest.mark.parametrize(("earlier", "outcome"), [("one", "FAILED"), ("two", "DONE")])
def test_what_s3_refused_to_a_job_is_done_only_where_that_very_job_has_done_it(earlier, outcome):
    before = Results(job=earlier, rows={"a": Row(image="a", outcome="DONE", job=earlier)})
    refused = Row(image="a", outcome="FAILED", code="GAVE_UP", job="two")

    merged = Results(job="two", rows={"a": refused}).over(before)

    assert merged.rows["a"].outcome == outcome


def test_an_image_at_which_a_job_hung_is_named_although_an_older_job_has_done_it():
    before = Results(job="one", rows={"a": Row(image="a", outcome="DONE", job="one")})

    assert Results(job="two", stopped=True, hung=("a",)).over(before).hung == ("a",)


def test_a_job_whose_credentials_are_over_asks_for_nothing_more_and_says_so(buckets):
    buckets.list(*(f"s3://photos/{number}.jpg" for number in range(3)))
    job, asked = BatchJob.of(ENVIRON, 1), []

    def refuse(**_):
        asked.append("HeadObject")
        raise ClientError({"Error": {"Code": "ExpiredToken"}}, "HeadObject")

    job.s3.meta.events.register("before-call.s3.HeadObject", refuse)
    with pytest.raises(RetryError) as over:
        job.run(threading.Event())

    fault = explain(over.value)
    assert fault and (fault.exit_code, "have expired" in fault.text) == (Exit.REFUSED, True)
    assert (len(asked), buckets.results()["left"]) == (1, 3)


def test_a_result_file_that_is_none_is_written_anew(buckets):
    settings = BatchSettings.from_environment(ENVIRON)
    file = ResultFile(buckets.client, settings, 1)
    buckets.put("out", file.key, b"[1, 2")

    file.write(Results(rows={"a": Row(image="a", outcome="DONE")}), ["a"])

    assert set(file.read().rows) == {"a"}


def test_a_result_file_that_others_write_at_the_very_moment_is_read_and_written_again(buckets):
    file, refusals = ResultFile(buckets.client, BatchSettings.from_environment(ENVIRON), 1), [409, 404, 412]
    file.write(Results(job="one", rows={"b": Row(image="b", outcome="DONE")}), ["a", "b"])

    def refuse(**_):
        if refusals:
            answer: Any = {"Error": {"Code": "Refused"}, "ResponseMetadata": {"HTTPStatusCode": refusals.pop(0)}}
            raise ClientError(answer, "PutObject")

    buckets.client.meta.events.register("before-call.s3.PutObject", refuse)
    file.write(Results(job="two", rows={"a": Row(image="a", outcome="DONE")}), ["a", "b"])

    assert (set(file.read().rows), refusals) == ({"a", "b"}, [])


def test_failures_are_counted_while_other_threads_add_rows(buckets):
    buckets.list("s3://photos/a.jpg")
    job = BatchJob.of(ENVIRON, 1)

    class Slow(Row):
        @property
        def is_failed(self):
            job.rows[f"another {len(job.rows)}"] = Row(image="s3://photos/b.jpg", outcome="PROCESSED")
            return True

    job.rows |= {str(number): Slow(image=f"s3://photos/{number}.jpg", outcome="FAILED") for number in range(10)}

    assert job.failed == 10
