"""The program over a bucket in memory: what it logs, what it replaces, and what it leaves as it is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from bulk.compress.backup import Backup
from bulk.compress.outcome import Outcome
from bulk.compress.run import PAUSES
from bulk.csv_rows import Row, open_list, read_rows
from tests.functional.compress_bench import ANOTHER, BUCKET, DETAILED, JPEG
from tests.images import exif, jpeg, photo, png, truncated


def without_folder(line: str, bench) -> str:
    return re.sub(re.escape(bench.order.temp_dir) + r"/image-pipeline-compress-\w+/", "/tmp/", line)


def messages(bench) -> list[str]:
    return [without_folder(line, bench).split(" - ", 2)[2] for line in bench.log.splitlines()]


def test_the_log_is_the_one_of_the_older_system_line_by_line(bench):
    bench.put("imagens/imagem1.jpg", JPEG)

    done = bench.only("imagens/imagem1.jpg")

    before, after = f"{len(JPEG) / 1e6:.2g} MB", f"{done.after / 1e6:.2g} MB"
    assert messages(bench)[:5] == [
        "Downloading object imagens/imagem1.jpg from AWS S3.",
        f"File saved in /tmp/imagem1.jpg with size: {before}",
        "Compressing /tmp/imagem1.jpg object as JPEG file",
        f"Upload object imagens/imagem1.jpg for bucket meu-bucket with size {after}",
        "File /tmp/imagem1.jpg was deleted.",
    ]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - INFO - \S", line) for line in bench.log.splitlines())
    [log] = bench.folder.glob("log_*")
    assert re.fullmatch(r"log_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.log", log.name)


def test_the_original_is_replaced_under_its_key_by_less(bench):
    bench.put("imagens/imagem1.jpg", JPEG)
    bench.put("imagens/imagem2.png", png(photo((300, 200))))
    bench.put("imagens/imagem3.jpeg", ANOTHER)

    done = bench.run("imagens/imagem1.jpg", "imagens/imagem2.png", "imagens/imagem3.jpeg")

    assert [one.outcome for one in done] == [Outcome.COMPRESSED] * 3
    assert [len(bench.get(one.key)) for one in done] == [one.after for one in done]
    assert all(one.after < one.before and one.etag_before != one.etag_after for one in done)


def test_the_file_really_lies_in_the_temporary_folder_and_goes(bench):
    seen = []
    bench.put("a/b/imagem1.jpg", JPEG)
    bench.watch = lambda step, facts: seen.extend(bench.folder.glob("temp/*/imagem1.jpg")) if step == "fetch" else None

    bench.only("a/b/imagem1.jpg")

    assert len(seen) == 1 and list(bench.folder.glob("temp/*")) == []


def test_headers_metadata_tags_and_exif_stay(bench):
    block = exif(orientation=6, private=True)
    headers = {"ContentType": "image/x", "CacheControl": "max-age=9", "StorageClass": "STANDARD_IA"}
    headers |= {"ContentDisposition": "inline", "ServerSideEncryption": "AES256"}
    bench.put("a.jpg", jpeg(DETAILED, quality=95, exif=block), Metadata={"who": "ada"}, Tagging="a=1", **headers)

    bench.only("a.jpg")

    head = bench.head("a.jpg")
    assert {name: head[name] for name in headers} == headers and head["Metadata"]["who"] == "ada"
    assert bench.s3.get_object_tagging(Bucket=BUCKET, Key="a.jpg")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert head["Metadata"]["image-pipeline-compressed"] == "quality=80" and block in bench.get("a.jpg")


def count_writes(s3):
    calls = []
    s3.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    return lambda: [name for name in calls if not name.startswith(("Get", "Head"))]


def test_a_second_run_writes_nothing_and_downloads_nothing(bench):
    bench.put("a.jpg", JPEG)
    bench.run("a.jpg")
    before, writes = bench.head("a.jpg"), count_writes(bench.s3)

    [done] = bench.run("a.jpg")

    assert done.outcome is Outcome.ALREADY and writes() == []
    assert bench.head("a.jpg")["LastModified"] == before["LastModified"]
    assert messages(bench)[-1] == "Left a.jpg as it is: already done"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "INVALID_CONTENT"),
        (b"BM not an image", "INVALID_EXTENSION"),
        (JPEG[:20] + b"\xff\xd9", "CORRUPT_FILE"),
        (truncated(JPEG), "TRUNCATED_IMAGE"),
        (None, "FILE_DELETED"),
    ],
)
def test_what_cannot_be_compressed_is_a_warning_with_its_code_and_stops_nothing(bench, data, code):
    if data is not None:
        bench.put("bad.jpg", data)
    bench.put("good.jpg", JPEG)

    bad, good = bench.run("bad.jpg", "good.jpg")

    assert (bad.outcome, bad.code, good.outcome) == (Outcome.IGNORED, code, Outcome.COMPRESSED)
    assert re.search(rf" - WARNING - \[{code}\] bad\.jpg: \S", bench.log)
    if data is not None:
        assert bench.get("bad.jpg") == data and "Metadata" in bench.head("bad.jpg")


def test_a_truncated_image_counts_as_failed_where_that_is_wished_and_is_never_replaced(bench):
    bench.put("cut.jpg", truncated(JPEG))
    bench.set(ignore_trunc=False)

    done = bench.only("cut.jpg")

    assert (done.outcome, done.code) == (Outcome.FAILED, "TRUNCATED_IMAGE")
    assert bench.get("cut.jpg") == truncated(JPEG) and "ERROR - [TRUNCATED_IMAGE]" in bench.log


def test_what_would_hardly_be_smaller_stays_byte_for_byte_and_the_log_says_why(bench):
    small = jpeg(DETAILED, quality=40)
    bench.put("a.jpg", small)

    done = bench.only("a.jpg")

    assert done.outcome is Outcome.UNCHANGED and bench.get("a.jpg") == small
    assert re.search(r"Left a\.jpg as it is: it would save -?[\d.]+ %, less than 3 %", bench.log)


@pytest.mark.parametrize("step", ["look", "fetch", "transform"])
def test_whoever_overwrites_the_original_meanwhile_never_loses_their_version(bench, step):
    bench.put("a.jpg", JPEG)
    changed: list[str] = []

    def overwrite(told, facts):
        if told == step and not changed:
            changed.append(step)
            bench.put("a.jpg", ANOTHER)

    bench.watch = overwrite
    done = bench.only("a.jpg")

    if step == "look":
        assert done.outcome is Outcome.COMPRESSED
    else:
        assert (done.outcome, done.code) == (Outcome.UNCHANGED, "CONFLICT") and bench.get("a.jpg") == ANOTHER
        assert "WARNING - [CONFLICT] a.jpg: " in bench.log


def test_a_dry_run_changes_nothing_and_says_what_would_be_saved(bench):
    bench.put("a.jpg", JPEG)
    bench.set(dry_run=True, backup=Backup(BUCKET, "originals/"))
    writes = count_writes(bench.s3)

    done = bench.only("a.jpg")

    assert done.outcome is Outcome.WOULD_COMPRESS and done.after < done.before and writes() == []
    assert "Would upload object a.jpg" in bench.log and bench.get("a.jpg") == JPEG


def test_the_backup_is_there_and_right_before_the_original_is_replaced(bench):
    bench.put("a.jpg", JPEG, Metadata={"who": "ada"}, ContentType="image/jpeg")
    bench.set(backup=Backup(BUCKET, "originals/"))
    order = []
    bench.s3.meta.events.register("before-call.s3", lambda model, **_: order.append(model.name))

    bench.only("a.jpg")

    kept = bench.head("originals/a.jpg")
    assert bench.get("originals/a.jpg") == JPEG and kept["Metadata"] == {"who": "ada"}
    assert order.index("CopyObject") < order.index("PutObject")
    assert len(bench.get("a.jpg")) < len(JPEG)


def test_a_backup_is_never_overwritten_by_what_came_later(bench):
    bench.set(backup=Backup(BUCKET, "originals/"))
    bench.put("a.jpg", JPEG)
    bench.run("a.jpg")
    bench.put("a.jpg", ANOTHER)

    bench.run("a.jpg")

    kept = bench.s3.list_objects_v2(Bucket=BUCKET, Prefix="originals/")["Contents"]
    assert {bench.get(entry["Key"]) for entry in kept} == {JPEG, ANOTHER}


def test_a_copy_that_differs_from_what_was_read_is_no_backup(bench):
    bench.put("a.jpg", JPEG)
    bench.set(backup=Backup(BUCKET, "originals/"))

    def overwrite_before_the_copy(step, facts):
        if step == "transform" and bench.get("a.jpg") == JPEG:
            bench.put("a.jpg", ANOTHER)

    bench.watch = overwrite_before_the_copy
    done = bench.only("a.jpg")

    assert done.outcome is Outcome.COMPRESSED and bench.sleeps == [PAUSES[0]]
    assert "differs from what was read" in bench.log and bench.get("originals/a.jpg") == ANOTHER


def copy_as_s3_does(s3, meanwhile):
    """The emulator copies under any condition. `meanwhile` is done once, just before the first copy."""
    waiting = [meanwhile]

    def copying(params, **_):
        while waiting:
            waiting.pop()()
        there = s3.list_objects_v2(Bucket=params["Bucket"], Prefix=params["Key"])["KeyCount"]
        etag = s3.head_object(**params["CopySource"])["ETag"]
        if params.get("CopySourceIfMatch", etag) != etag or (there and params.get("IfNoneMatch") == "*"):
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "CopyObject")

    s3.meta.events.register("provide-client-params.s3.CopyObject", copying)


def test_of_two_runs_at_one_image_none_puts_the_compressed_one_over_the_copy_of_the_original(bench):
    bench.put("a.jpg", JPEG)
    bench.set(backup=Backup(BUCKET, "originals/"))
    copy_as_s3_does(bench.s3, meanwhile=lambda: list(bench.compress([Row(2, "a.jpg")])))

    done = bench.only("a.jpg")

    assert bench.get("originals/a.jpg") == JPEG and len(bench.get("a.jpg")) < len(JPEG)
    assert done.outcome is Outcome.ALREADY and bench.sleeps == [PAUSES[0]]


def test_runs_over_two_buckets_that_share_one_for_copies_keep_the_originals_of_both(bench):
    for bucket in ("another", "copies"):
        bench.s3.create_bucket(Bucket=bucket)
    bench.put("a.jpg", JPEG)
    bench.s3.put_object(Bucket="another", Key="a.jpg", Body=ANOTHER)
    bench.set(backup=Backup("copies"))
    mine = bench.order

    def compress_in_the_other():
        bench.order = replace(mine, bucket="another")
        list(bench.compress([Row(2, "a.jpg")]))
        bench.order = mine

    copy_as_s3_does(bench.s3, meanwhile=compress_in_the_other)

    done = bench.only("a.jpg")

    kept = [entry["Key"] for entry in bench.s3.list_objects_v2(Bucket="copies")["Contents"]]
    assert done.outcome is Outcome.COMPRESSED
    assert {bench.s3.get_object(Bucket="copies", Key=key)["Body"].read() for key in kept} == {JPEG, ANOTHER}


def test_a_copy_that_a_run_made_is_told_of_and_stays_as_it_is(bench):
    backup = Backup(BUCKET, "originals/")
    bench.set(backup=backup)
    bench.put("a.jpg", JPEG)
    bench.run("a.jpg")
    bench.csv("a.jpg", "originals/a.jpg")

    with open_list(str(bench.folder / "dataset.csv")) as file:
        [done] = bench.run_rows(backup.without_copies(read_rows(file, BUCKET), BUCKET))

    assert (done.key, done.outcome) == ("a.jpg", Outcome.ALREADY) and bench.get("originals/a.jpg") == JPEG
    assert "Line 3 of the list was left out, its key begins with 'originals/', as those of copies do" in bench.log


@pytest.mark.parametrize("backup", [Backup("copies", "originals/"), Backup("copies")])
def test_where_copies_are_kept_in_another_bucket_every_line_is_an_image(backup):
    rows = [Row(2, "a.jpg"), Row(3, "originals/a.jpg")]

    assert list(backup.without_copies(iter(rows), BUCKET)) == rows


def test_every_line_of_an_odd_list_is_done_or_told_with_its_number(bench):
    bench.put("a b.jpg", JPEG)
    bench.put("é+%20.jpg", ANOTHER)
    text = f'path\na b.jpg\n\n"open\nhttp\ns3://{BUCKET}/é+%20.jpg\ns3://other/c.jpg\na b.jpg\n'
    bench.csv(text=text)

    with open_list(str(bench.folder / "dataset.csv")) as file:
        done = bench.run_rows(read_rows(file, BUCKET))

    assert {one.key: one.outcome for one in done} == {
        "a b.jpg": Outcome.COMPRESSED,
        "é+%20.jpg": Outcome.COMPRESSED,
        "http": Outcome.IGNORED,
    }
    for number in (3, 4, 7, 8):
        assert f"Line {number} of the list was left out" in bench.log


def test_keys_cannot_write_lines_of_their_own_into_the_log(bench):
    key = "a\x1b[31m\r2024-02-01 12:00:00 - INFO - forged.jpg"
    bench.csv(text="path\n")

    bench.run_rows(iter([Row(2, key)]))

    assert "\x1b" not in bench.log and not re.search("^2024-02-01", bench.log, re.MULTILINE)


def test_no_end_of_line_in_a_key_ends_a_line_about_an_error(bench):
    key = "".join(f"{end}forged" for end in "\v\f\x1c\x1d\x1e\x85\u2028\u2029") + ".jpg"
    bench.put(key, truncated(JPEG))
    bench.set(ignore_trunc=False)

    bench.run_rows(iter([Row(2, key)]))

    [line] = [line for line in bench.log.split("\n") if " - ERROR - " in line]
    assert line.count("forged") == 8 and line.isprintable()
