"""One job of AWS Batch, in this process, over S3 in memory (moto)."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from bulk.batch_job import BatchJob
from bulk.batch_results import ResultFile, Results, Row
from bulk.batch_run import BatchRun
from bulk.compress_images import main
from bulk.memory_gate import MemoryGate
from pipeline.batch.settings import BatchSettings
from pipeline.errors import Code, RejectError, RetryError
from pipeline.images.transform import transform
from pipeline.services import Services
from pipeline.storage import Storage
from tests.images import jpeg, photo, png, truncated

ENVIRON = {
    "AWS_REGION": "us-east-1",
    "IN_BUCKET": "lists",
    "JSON_LOCATION": "may.json",
    "OUT_BUCKET": "out",
    "OUT_KEY": "compressed",
    "BATCH_JOB_KEY": "batch_1",
}
RESULTS = "compressed/_results/lists/may.json/batch_1.json"
GOOD = jpeg(photo((64, 48)), quality=95)


class S3:
    """A client that notes its calls, and what stands in the buckets."""

    def __init__(self):
        self.client = boto3.client("s3", region_name="us-east-1")
        self.calls = []
        for bucket in ("lists", "photos", "others", "out"):
            self.client.create_bucket(Bucket=bucket)

    def put(self, bucket, key, data):
        self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def list(self, *images, **batches):
        self.put("lists", "may.json", json.dumps({"batch_1": list(images), **batches}).encode())

    def keys(self, bucket="out"):
        found = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {entry["Key"] for entry in found if "_results" not in entry["Key"]}

    def etags(self):
        return {entry["Key"]: entry["ETag"] for entry in self.client.list_objects_v2(Bucket="out")["Contents"]}

    def results(self, key=RESULTS):
        return json.load(self.client.get_object(Bucket="out", Key=key)["Body"])

    def watch(self, client):
        client.meta.events.register("before-call.s3.*", lambda model, **_: self.calls.append(model.name))


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield S3()


def work(s3, *, stop=None, **environ):
    """The job as `main` runs it, with its calls noted."""
    job = BatchJob.of(ENVIRON | environ, 2)
    s3.watch(job.s3)
    s3.calls.clear()
    return job.run(stop or threading.Event()), job


def test_every_image_of_the_batch_has_its_output_and_the_last_line_says_so(s3, capsys):
    s3.put("photos", "a.jpg", GOOD)
    s3.put("photos", "2026/b.png", png(photo((64, 48))))
    s3.put("photos", "c.jpg", GOOD)
    s3.list("s3://photos/a.jpg", "s3://photos/2026/b.png", batch_2=["s3://photos/c.jpg"])

    code = main(["--workers", "2"], ENVIRON)

    assert code == 0
    assert s3.keys() == {"compressed/photos/a.jpg.jpg", "compressed/photos/2026/b.png.png"}
    assert capsys.readouterr().out.splitlines()[-1] == "Compressed 2/2 files."


def test_same_names_from_two_buckets_both_survive(s3):
    s3.put("photos", "a.jpg", GOOD)
    s3.put("others", "a.jpg", jpeg(photo((48, 64)), quality=95))
    s3.list("s3://photos/a.jpg", "s3://others/a.jpg")

    work(s3)

    assert s3.keys() == {"compressed/photos/a.jpg.jpg", "compressed/others/a.jpg.jpg"}


def test_in_the_old_layout_the_second_of_a_name_fails_and_overwrites_nothing(s3):
    s3.put("photos", "a.jpg", GOOD)
    s3.put("others", "a.jpg", jpeg(photo((48, 64)), quality=95))
    s3.list("s3://photos/a.jpg", "s3://others/a.jpg")

    finished, job = work(s3, OUT_LAYOUT="basename")

    assert (finished, job.failed) == (True, 1)
    assert s3.keys() == {"compressed/a.jpg"}
    assert sorted(row.code or "" for row in job.rows.values()) == ["", "CONFLICT"]


def test_a_second_job_fetches_nothing_and_writes_no_image(s3):
    s3.put("photos", "a.jpg", GOOD)
    s3.put("photos", "b.png", png(photo((64, 48))))
    s3.list("s3://photos/a.jpg", "s3://photos/b.png")
    work(s3)
    before = s3.etags()

    _, job = work(s3)

    assert s3.calls.count("GetObject") == 2  # both of the results, none of an image
    assert s3.calls.count("PutObject") == 1
    assert {key: etag for key, etag in s3.etags().items() if "_results" not in key}.items() <= before.items()
    assert (len(job.rows), job.failed) == (2, 0)


def test_an_image_whose_name_lies_is_not_fetched_again_either(s3):
    s3.put("photos", "a.jpg", png(photo((64, 48))))
    s3.list("s3://photos/a.jpg")
    work(s3)

    for _ in range(2):
        work(s3)
        assert s3.calls.count("GetObject") == 2  # both of the results
        assert [row["key"] for row in s3.results()["rows"]] == ["compressed/photos/a.jpg.png"]


def test_a_retry_makes_what_is_missing_and_what_has_a_new_source(s3):
    for name in "abc":
        s3.put("photos", f"{name}.jpg", GOOD)
    s3.list(*(f"s3://photos/{name}.jpg" for name in "abc"))
    work(s3)
    before = s3.etags()
    s3.client.delete_object(Bucket="out", Key="compressed/photos/a.jpg.jpg")
    s3.put("photos", "b.jpg", jpeg(photo((48, 64)), quality=95))

    work(s3)

    after = s3.etags()
    assert s3.calls.count("PutObject") == 2 + 2  # two images, of which one meets the older output first; the results
    assert after["compressed/photos/a.jpg.jpg"] == before["compressed/photos/a.jpg.jpg"]
    assert after["compressed/photos/b.jpg.jpg"] != before["compressed/photos/b.jpg.jpg"]


def test_a_foreign_object_at_the_place_is_a_failure_and_stays(s3):
    s3.put("photos", "a.jpg", GOOD)
    s3.put("out", "compressed/photos/a.jpg.jpg", b"theirs")
    s3.list("s3://photos/a.jpg")

    _, job = work(s3)

    assert [row.code for row in job.rows.values()] == ["CONFLICT"]
    assert s3.client.get_object(Bucket="out", Key="compressed/photos/a.jpg.jpg")["Body"].read() == b"theirs"


def test_failures_are_told_kept_and_make_the_exit_code(s3, capsys):
    s3.put("photos", "good.jpg", GOOD)
    s3.put("photos", "cut.jpg", truncated(GOOD))
    s3.put("photos", "text.jpg", b"no picture")
    names = ["good.jpg", "cut.jpg", "text.jpg", "gone.jpg"]
    s3.list(*(f"s3://photos/{name}" for name in names), "nonsense", "s3://photos/good.jpg")

    code = main([], ENVIRON)

    said, results = capsys.readouterr(), s3.results()
    assert code == 1
    assert said.out.splitlines()[-1] == "Compressed 1/5 files."
    assert "failed: s3://photos/cut.jpg: TRUNCATED_IMAGE" in said.err
    assert {row["image"]: row.get("code") for row in results["rows"]} == {
        "s3://photos/good.jpg": None,
        "s3://photos/cut.jpg": "TRUNCATED_IMAGE",
        "s3://photos/text.jpg": "INVALID_EXTENSION",
        "s3://photos/gone.jpg": "FILE_DELETED",
        "nonsense": "INVALID_MESSAGE",
    }
    assert (results["images"], results["compressed"], results["failed"], results["left"]) == (5, 1, 4, 0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"OUT_BUCKET": ""}, "OUT_BUCKET is not set"),
        ({"BATCH_JOB_KEY": ""}, "BATCH_JOB_KEY is not set"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "4"}, "disagree"),
        ({"BATCH_JOB_KEY": "batch_9"}, "s3://lists/may.json has no batch_9"),
        ({"JSON_LOCATION": "june.json"}, "s3://lists/june.json does not exist"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line_and_exit_code_2(s3, capsys, changes, text):
    s3.list()

    code = main([], ENVIRON | changes)

    (line,) = capsys.readouterr().err.splitlines()
    assert code == 2
    assert text in line


def test_an_empty_batch_is_done(s3, capsys):
    s3.list()

    assert main([], ENVIRON) == 0
    assert capsys.readouterr().out == "Compressed 0/0 files.\n"


def test_a_job_that_is_stopped_keeps_what_it_has_and_its_next_attempt_asks_for_the_rest_only(s3, capsys):
    for number in range(6):
        s3.put("photos", f"{number}.jpg", GOOD)
    s3.list(*(f"s3://photos/{number}.jpg" for number in range(6)))
    stop, own = threading.Event(), {"AWS_BATCH_JOB_ID": "job:0"}
    job = BatchJob.of(ENVIRON | own, 1)
    job.s3.meta.events.register("after-call.s3.PutObject", lambda **_: stop.set())

    finished = job.run(stop)
    kept = s3.results()
    again, second = work(s3, **own, AWS_BATCH_JOB_ATTEMPT="2")

    assert (finished, kept["stopped"], kept["compressed"], kept["left"]) == (False, True, 1, 5)
    assert again and len(second.rows) == 6
    assert s3.calls.count("HeadObject") == 2 * 5
    assert capsys.readouterr().out.splitlines() == ["Compressed 1/6 files.", "Compressed 6/6 files."]


def test_results_of_another_run_are_not_believed(s3):
    s3.put("photos", "a.jpg", GOOD)
    s3.list("s3://photos/a.jpg")
    work(s3, AWS_BATCH_JOB_ID="first:0")
    s3.client.delete_object(Bucket="out", Key="compressed/photos/a.jpg.jpg")

    work(s3, AWS_BATCH_JOB_ID="second:0")

    assert s3.keys() == {"compressed/photos/a.jpg.jpg"}


class Trouble:
    """A transform that fails so many times for a passing reason."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def __call__(self, data, options, **more):
        if self.errors:
            raise self.errors.pop(0)
        return transform(data, options, **more)


def run_with(s3, made, images, pauses=(0.0, 0.0), **more):
    rows: list[Row] = []
    settings = BatchSettings.from_environment(ENVIRON)
    services = Services(storage=Storage(s3.client), budget=MemoryGate(10**9), transform=made, isolated=made)
    run = BatchRun(services, settings, rows.append, threading.Event(), workers=1, pauses=pauses, **more)
    return run.run(images), rows


@pytest.mark.parametrize("error", [RetryError("503"), KeyError("a bug")])
def test_what_may_pass_is_tried_again_at_the_end_and_then_given_up(s3, error):
    s3.put("photos", "a.jpg", GOOD)

    _, passing = run_with(s3, Trouble(error, error), ["s3://photos/a.jpg"])
    s3.client.delete_object(Bucket="out", Key="compressed/photos/a.jpg.jpg")
    _, staying = run_with(s3, Trouble(error, error, error), ["s3://photos/a.jpg"])

    assert [row.outcome for row in passing] == ["DONE"]
    assert [(row.outcome, row.code) for row in staying] == [("FAILED", "GAVE_UP")]


def test_after_a_death_without_a_word_images_are_decoded_in_children(s3):
    s3.put("photos", "a.jpg", GOOD)
    in_children = []

    def isolated(data, options, **more):
        in_children.append(len(data))
        return transform(data, options, **more)

    services = Services(storage=Storage(s3.client), budget=MemoryGate(10**9), isolated=isolated)
    settings = BatchSettings.from_environment(ENVIRON)
    BatchRun(services, settings, lambda row: None, threading.Event(), 1, suspicious=True).run(["s3://photos/a.jpg"])

    assert in_children == [len(GOOD)]


def test_an_image_at_which_a_job_hung_is_decoded_in_a_child_by_the_next_job(s3):
    images = ["s3://photos/good.jpg", "s3://photos/endless.jpg"]
    for image, data in zip(images, (GOOD, png()), strict=True):
        s3.put("photos", image.rpartition("/")[2], data)
    s3.list(*images)
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

    services = Services(storage=Storage(s3.client), budget=MemoryGate(10**9), transform=here, isolated=isolated)
    first = replace(BatchJob.of(ENVIRON | {"AWS_BATCH_JOB_ID": "first:0"}, 1), services=services, grace=0.1)
    finished = first.run(stop)
    kept = s3.results()
    over.set()
    second = replace(BatchJob.of(ENVIRON | {"AWS_BATCH_JOB_ID": "a retry:0"}, 1), services=services)
    again = second.run(threading.Event())

    assert (finished, again) == (False, True)
    assert (kept["hung"], kept["compressed"]) == (["s3://photos/endless.jpg"], 1)
    assert in_children == [png()]
    assert [row.code for row in second.rows.values()] == [None, "TOO_LARGE"] and "hung" not in s3.results()


def test_two_jobs_for_one_batch_lose_no_row_of_each_other(s3):
    settings = BatchSettings.from_environment(ENVIRON)
    one, two = (ResultFile(s3.client, settings, 1) for _ in range(2))
    done = Row(image="a", outcome="DONE", key="k")

    one.write(Results(job="one", rows={"a": done}), ["a", "b"])
    two.write(Results(job="two", rows={"b": Row(image="b", outcome="DONE")}), ["a", "b"])
    two.write(Results(job="two", rows={"a": Row(image="a", outcome="FAILED", code="GAVE_UP")}), ["a", "b"])

    assert one.read().rows["a"] == done
    assert set(one.read().rows) == {"a", "b"}


def test_a_result_file_that_is_none_is_written_anew(s3):
    settings = BatchSettings.from_environment(ENVIRON)
    file = ResultFile(s3.client, settings, 1)
    s3.put("out", file.key, b"[1, 2")

    file.write(Results(rows={"a": Row(image="a", outcome="DONE")}), ["a"])

    assert set(file.read().rows) == {"a"}


def test_failures_are_counted_while_other_threads_add_rows(s3):
    s3.list("s3://photos/a.jpg")
    job = BatchJob.of(ENVIRON, 1)

    class Slow(Row):
        @property
        def is_failed(self):
            job.rows[f"another {len(job.rows)}"] = Row(image="s3://photos/b.jpg", outcome="PROCESSED")
            return True

    job.rows |= {str(number): Slow(image=f"s3://photos/{number}.jpg", outcome="FAILED") for number in range(10)}

    assert job.failed == 10
