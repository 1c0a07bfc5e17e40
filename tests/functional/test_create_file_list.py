"""The command as a person runs it, from both folders, and with S3."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from bulk.create_file_list import main
from bulk.list_groups import Groups
from bulk.list_lines import Image
from bulk.list_objects import Listing
from bulk.list_upload import upload_list
from cli.exits import CommandError
from pipeline.batch.file_list import Manifest
from tests.unheard import unheard

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def create(tmp_path):
    def run(*arguments, stdin=b"", cwd=ROOT):
        environ = {**os.environ, "IMAGE_PIPELINE_HOME": str(tmp_path)}
        script = os.path.relpath(ROOT / "bulk" / "create_file_list.py", cwd)
        command = [sys.executable, script, *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, env=environ, timeout=60)

    return run


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "images.txt"
    path.write_text("".join(f"s3://photos/{number:03}.jpg\n" for number in range(10)))
    return path


def load(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize("cwd", [ROOT, ROOT / "bulk"])
@pytest.mark.parametrize("comma", ["", ","])
def test_a_text_file_becomes_the_list_with_and_without_the_printed_commas(create, images, tmp_path, cwd, comma):
    out = tmp_path / "list.json"

    ended = create(f"{images}{comma}", f"3{comma}", out, cwd=cwd)

    assert (ended.returncode, ended.stderr) == (0, b"")
    found = load(out)
    assert [len(found[f"batch_{n}"]) for n in (1, 2, 3)] == [4, 3, 3]
    assert sorted(sum(found.values(), [])) == images.read_text().splitlines()


def test_standard_input_is_a_list_too_and_the_result_can_be_json(create, tmp_path):
    out = tmp_path / "list.json"

    ended = create("-", 1, out, "--json", stdin=b"s3://photos/a.jpg\n")

    assert load(out) == {"batch_1": ["s3://photos/a.jpg"]}
    assert json.loads(ended.stdout)["images"] == 1


def test_bad_and_duplicate_lines_are_named_by_their_numbers_and_the_rest_is_done(create, tmp_path):
    lines = b"\xef\xbb\xbfs3://photos/a.jpg\r\nnonsense\n\ns3://photos/\xff.jpg\ns3://photos/a.jpg\ns3://photos/b.jpg"
    out = tmp_path / "list.json"

    ended = create("-", 2, out, stdin=lines + b"\n" + b"x" * 100_000 + b"\ns3://photos/c.jpg")

    said = ended.stderr.decode()
    assert ended.returncode == 1
    assert load(out) == {"batch_1": ["s3://photos/a.jpg", "s3://photos/c.jpg"], "batch_2": ["s3://photos/b.jpg"]}
    assert "line 2: 'nonsense'" in said and "line 4" in said and "line 7" in said and "too long" in said
    assert "line 5: s3://photos/a.jpg stands in line 1 already" in said


def test_a_reader_who_has_gone_does_not_hide_that_lines_were_bad(tmp_path):
    images, out = tmp_path / "images.txt", tmp_path / "list.json"
    images.write_text("s3://photos/a.jpg\nnonsense\n")

    with unheard():
        assert main([str(images), "1", str(out)]) == 1

    assert load(out) == {"batch_1": ["s3://photos/a.jpg"]}


def test_where_sizes_are_known_batches_weigh_the_same(create, tmp_path):
    lines = "".join(f"s3://photos/{size}.jpg\t{size}\n" for size in (90, 10, 20, 30, 30))
    out = tmp_path / "list.json"

    create("-", 2, out, stdin=lines.encode())

    assert load(out)["batch_1"] == ["s3://photos/90.jpg"]


def test_shards_hold_one_batch_each_and_the_manifest_says_how_many(create, images, tmp_path):
    out = tmp_path / "shards"

    assert create(images, 4, out, "--format", "shards").returncode == 0

    assert Manifest.from_json((out / "manifest.json").read_text()) == Manifest(batches=4, images=10, bytes=None)
    lines = [json.loads(line) for n in range(1, 5) for line in (out / f"batch_{n}.jsonl").read_text().splitlines()]
    assert sorted(lines) == images.read_text().splitlines()
    assert b"exists already" in create(images, 4, out, "--format", "shards").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("images.txt", "0", "list.json"),
        ("images.txt", "10001", "list.json"),
        ("images.txt", "many", "list.json"),
        ("images.txt", "3"),
        ("missing.txt", "3", "list.json"),
        ("-", "3", "no/such/folder/list.json"),
        ("--prefix", "x", "-", "3", "list.json"),
        ("-", "3", "list.json", "--upload", "lists/may.json"),
        ("-", "3", "list.json", "--upload", "s3://lists/may/"),
        ("-", "3", "shards", "--format", "shards", "--upload", "s3://lists/may"),
    ],
)
def test_wrong_use_ends_with_one_line_and_nothing_is_written(create, tmp_path, arguments):
    ended = create(
        *(str(tmp_path / word) if word == "list.json" else word for word in arguments), stdin=b"s3://photos/a"
    )

    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr
    assert not (tmp_path / "list.json").exists()


def test_a_list_without_images_is_not_written(create, tmp_path):
    ended = create("-", 2, tmp_path / "list.json", stdin=b"\nnonsense\n")

    assert ended.returncode == 1
    assert not (tmp_path / "list.json").exists()


def test_no_temporary_file_stays_behind(create, images, tmp_path):
    create(images, 3, tmp_path / "list.json")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["images.txt", "list.json"]


def test_groups_of_ten_thousand_batches_keep_few_names_in_memory(tmp_path):
    with Groups(10_000, tmp_path) as groups:
        for number in range(30_000):
            groups.add(Image(number, f"s3://photos/{number}.jpg"))
        groups.divide()

        assert {len(list(groups.names(number))) for number in range(1, 10_001)} == {3}
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="photos")
        yield s3


def test_a_bucket_is_listed_with_sizes_and_what_is_no_image_is_left_out(s3):
    for key, storage_class in [("a/é +.jpg", "STANDARD"), ("a/b.JPEG", "STANDARD"), ("a/old.jpg", "GLACIER")]:
        s3.put_object(Bucket="photos", Key=key, Body=b"xyz", StorageClass=storage_class)
    for key in ("a/", "a/notes.txt", "b/c.png"):
        s3.put_object(Bucket="photos", Key=key)
    listing = Listing(s3, "photos", "a/")

    found = {image.name: image.size for image in listing if isinstance(image, Image)}

    assert found == {"s3://photos/a/é +.jpg": 3, "s3://photos/a/b.JPEG": 3}
    assert sum(listing.left_out.values()) == 3
    every = {image.name for image in Listing(s3, "photos", "a/", every=True) if isinstance(image, Image)}
    assert every == {*found, "s3://photos/a/notes.txt"}


def test_what_was_restored_from_an_archive_is_listed(s3):
    """moto's listing says nothing of it, so the page is S3's as it is documented."""
    restored = {"IsRestoreInProgress": False, "RestoreExpiryDate": datetime(2026, 12, 1, tzinfo=UTC)}
    entries = [
        {"Key": "a.jpg", "Size": 3, "StorageClass": "GLACIER", "RestoreStatus": restored},
        {"Key": "b.jpg", "Size": 3, "StorageClass": "GLACIER", "RestoreStatus": {"IsRestoreInProgress": True}},
    ]
    asked = []

    def answer(params, **_):
        asked.append(params["headers"].get("x-amz-optional-object-attributes"))
        return SimpleNamespace(status_code=200), {"Contents": entries, "IsTruncated": False}

    s3.meta.events.register("before-call.s3.ListObjectsV2", answer)
    listing = Listing(s3, "photos", "")

    assert [image.name for image in listing if isinstance(image, Image)] == ["s3://photos/a.jpg"]
    assert listing.left_out == {"archived (restore them first)": 1}
    assert asked == ["RestoreStatus"]


def test_shards_are_uploaded_below_the_place_and_never_over_another_list(s3, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "batch_1.jsonl").write_text("")

    upload_list(s3, tmp_path, "photos", "lists/may/")

    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="photos")["Contents"]]
    assert keys == ["lists/may/batch_1.jsonl", "lists/may/manifest.json"]
    with pytest.raises(CommandError, match="holds a list already"):
        upload_list(s3, tmp_path, "photos", "lists/may/")
