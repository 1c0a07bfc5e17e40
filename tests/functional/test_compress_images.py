"""One job of AWS Batch, in this process, over S3 in memory (moto)."""

from __future__ import annotations

import pytest

from bulk.compress_images import main
from tests.functional.compress_job import ENVIRON, GOOD, work
from tests.images import jpeg, photo, png, truncated


def test_every_image_of_the_batch_has_its_output_and_the_last_line_says_so(buckets, capsys):
    buckets.put("photos", "a.jpg", GOOD)
    buckets.put("photos", "2026/b.png", png(photo((64, 48))))
    buckets.put("photos", "c.jpg", GOOD)
    buckets.list("s3://photos/a.jpg", "s3://photos/2026/b.png", batch_2=["s3://photos/c.jpg"])

    code = main(["--workers", "2"], ENVIRON)

    assert code == 0
    assert buckets.keys() == {"compressed/photos/a.jpg.jpg", "compressed/photos/2026/b.png.png"}
    assert capsys.readouterr().out.splitlines()[-1] == "Compressed 2/2 files."


def test_same_names_from_two_buckets_both_survive(buckets):
    buckets.put("photos", "a.jpg", GOOD)
    buckets.put("others", "a.jpg", jpeg(photo((48, 64)), quality=95))
    buckets.list("s3://photos/a.jpg", "s3://others/a.jpg")

    work(buckets)

    assert buckets.keys() == {"compressed/photos/a.jpg.jpg", "compressed/others/a.jpg.jpg"}


def test_in_the_old_layout_the_second_of_a_name_fails_and_overwrites_nothing(buckets):
    buckets.put("photos", "a.jpg", GOOD)
    buckets.put("others", "a.jpg", jpeg(photo((48, 64)), quality=95))
    buckets.list("s3://photos/a.jpg", "s3://others/a.jpg")

    finished, job = work(buckets, OUT_LAYOUT="basename")

    assert (finished, job.failed) == (True, 1)
    assert buckets.keys() == {"compressed/a.jpg"}
    assert sorted(row.code or "" for row in job.rows.values()) == ["", "CONFLICT"]


def test_a_foreign_object_at_the_place_is_a_failure_and_stays(buckets):
    buckets.put("photos", "a.jpg", GOOD)
    buckets.put("out", "compressed/photos/a.jpg.jpg", b"theirs")
    buckets.list("s3://photos/a.jpg")

    _, job = work(buckets)

    assert [row.code for row in job.rows.values()] == ["CONFLICT"]
    assert buckets.client.get_object(Bucket="out", Key="compressed/photos/a.jpg.jpg")["Body"].read() == b"theirs"


def test_failures_are_told_kept_and_make_the_exit_code(buckets, capsys):
    buckets.put("photos", "good.jpg", GOOD)
    buckets.put("photos", "cut.jpg", truncated(GOOD))
    buckets.put("photos", "text.jpg", b"no picture")
    names = ["good.jpg", "cut.jpg", "text.jpg", "gone.jpg"]
    buckets.list(*(f"s3://photos/{name}" for name in names), "nonsense", "s3://photos/good.jpg")

    code = main([], ENVIRON)

    said, results = capsys.readouterr(), buckets.results()
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
        ({"BATCH_LIST_ETAG": "0" * 32}, "s3://lists/may.json is no longer the list that was submitted"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line_and_exit_code_2(buckets, capsys, changes, text):
    buckets.list()

    code = main([], ENVIRON | changes)

    (line,) = capsys.readouterr().err.splitlines()
    assert code == 2
    assert text in line


def test_an_empty_batch_is_done(buckets, capsys):
    buckets.list()

    assert main([], ENVIRON) == 0
    assert capsys.readouterr().out == "Compressed 0/0 files.\n"
