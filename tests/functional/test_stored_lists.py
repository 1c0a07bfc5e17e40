import json

import boto3
import pytest
from moto import mock_aws

from pipeline.batch.file_list import Manifest
from pipeline.batch.json_tokens import FileListError
from pipeline.batch.stored_lists import StoredList

LIST = {f"batch_{number}": [f"s3://photos/{number}/{image}.jpg" for image in range(2000)] for number in (1, 2, 3)}


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="lists")
        s3.put_object(Bucket="lists", Key="may.json", Body=json.dumps(LIST).encode())
        for name, images in LIST.items():
            lines = "".join(f"{json.dumps(image)}\n" for image in images)
            s3.put_object(Bucket="lists", Key=f"may/{name}.jsonl", Body=lines.encode())
        manifest = Manifest(batches=3, images=6000)
        s3.put_object(Bucket="lists", Key="may/manifest.json", Body=manifest.to_json().encode())
        yield s3


@pytest.mark.parametrize("location", ["may.json", "may/", "may/manifest.json"])
def test_both_forms_of_a_list_give_the_same_batches(s3, location):
    stored = StoredList(s3, "lists", location)

    assert stored.count() == 3
    assert stored.images(2) == LIST["batch_2"]


def test_a_job_reads_its_own_shard_only_and_a_file_to_its_end(s3):
    whole = s3.head_object(Bucket="lists", Key="may.json")["ContentLength"]
    shards, json_list = StoredList(s3, "lists", "may/"), StoredList(s3, "lists", "may.json")

    shards.images(1)
    json_list.images(1)

    assert shards.bytes_read < whole / 2.5
    assert json_list.bytes_read == whole


def test_a_shard_has_one_name_a_line_and_names_may_hold_what_other_programs_take_for_the_end_of_one(s3):
    images = ["s3://photos/a\u2028b.jpg", "s3://photos/a\x85b.jpg"]
    lines = "".join(f"{json.dumps(image, ensure_ascii=False)}\n" for image in images)
    s3.put_object(Bucket="lists", Key="may/batch_2.jsonl", Body=lines.encode())

    assert StoredList(s3, "lists", "may/").images(2) == images


@pytest.mark.parametrize("location", ["may.json", "may/"])
def test_a_batch_that_is_not_in_the_list_is_said_so(s3, location):
    with pytest.raises(FileListError, match=f"s3://lists/{location} has no batch_4"):
        StoredList(s3, "lists", location).images(4)


@pytest.mark.parametrize(("bucket", "location"), [("lists", "june.json"), ("lists", "june/"), ("nowhere", "a.json")])
def test_a_list_that_is_not_there_is_said_so(s3, bucket, location):
    for ask in (StoredList.count, StoredList.etag, lambda stored: stored.images(1)):
        with pytest.raises(FileListError, match="does not exist"):
            ask(StoredList(s3, bucket, location))


@pytest.mark.parametrize("location", ["may.json", "may/"])
def test_a_list_that_came_into_the_place_of_the_one_that_is_meant_is_refused(s3, location):
    meant = StoredList(s3, "lists", location, StoredList(s3, "lists", location).etag())
    assert meant.images(2) == LIST["batch_2"]
    s3.put_object(Bucket="lists", Key="may.json", Body=json.dumps(LIST | {"batch_4": []}).encode())
    manifest = Manifest(batches=4, images=6000)
    s3.put_object(Bucket="lists", Key="may/manifest.json", Body=manifest.to_json().encode())

    for ask in (StoredList.count, StoredList.etag, lambda stored: stored.images(1)):
        with pytest.raises(FileListError, match=f"s3://lists/{location}.* is no longer the list that was submitted"):
            ask(meant)


def test_shards_without_their_manifest_are_half_a_list(s3):
    s3.delete_object(Bucket="lists", Key="may/manifest.json")

    with pytest.raises(FileListError, match="may/manifest.json does not exist"):
        StoredList(s3, "lists", "may/").images(1)


def test_half_a_list_and_what_is_no_list_are_refused(s3):
    s3.put_object(Bucket="lists", Key="half.json", Body=json.dumps(LIST).encode()[:-20])
    s3.put_object(Bucket="lists", Key="picture.json", Body=b"\xff\xd8\xff\xe0")

    with pytest.raises(FileListError, match="ends in the middle"):
        StoredList(s3, "lists", "half.json").count()
    with pytest.raises(FileListError, match="picture.json is no file list"):
        StoredList(s3, "lists", "picture.json").images(1)
