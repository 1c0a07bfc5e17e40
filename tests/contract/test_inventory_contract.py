"""What a bucket holds now, as the listing of its versions shows it, against moto and the local cloud."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pipeline.inventory import is_archived, list_current
from pipeline.storage import Storage
from tests.contract.conftest import ON_AWS_ENGINES
from tests.odd_keys import ODD_KEYS

#: moto leaves one object out where it does not find the place from which to go on.
ON_THE_LOCAL_CLOUD = pytest.mark.parametrize(
    "clients", [pytest.param("local cloud", marks=pytest.mark.local_cloud)], indirect=True
)


@pytest.fixture(params=["versioned", "not versioned"])
def bucket(clients, request) -> str:
    name = f"inventory-{uuid4().hex[:8]}"
    clients["s3"].create_bucket(Bucket=name)
    if request.param == "versioned":
        clients["s3"].put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def put(clients, bucket, *keys, data=b"12345"):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: clients["s3"].put_object(Bucket=bucket, Key=key, Body=data), keys))


def listed(clients, bucket, prefix="", after=""):
    """All that is there."""
    return [one for one in told(clients, bucket, prefix, after) if not one.is_gone]


def told(clients, bucket, prefix="", after=""):
    return [found for page in list_current(clients["s3"], bucket, prefix, after=after) for found in page]


@ON_AWS_ENGINES
def test_each_object_is_listed_with_the_version_by_which_the_pipeline_knows_it(clients, bucket):
    put(clients, bucket, "a.jpg", data=b"old")
    put(clients, bucket, "a.jpg", "b/c.jpg")

    found = listed(clients, bucket)

    assert [(one.key, one.size, one.is_archived) for one in found] == [("a.jpg", 5, False), ("b/c.jpg", 5, False)]
    for one in found:
        assert one.version == Storage(clients["s3"]).head(bucket, one.key)
        assert one.version.etag == hashlib.md5(b"12345").hexdigest()


@ON_AWS_ENGINES
def test_what_was_deleted_is_not_there(clients, bucket):
    put(clients, bucket, "a.jpg", "b.jpg")
    clients["s3"].delete_object(Bucket=bucket, Key="a.jpg")

    assert [one.key for one in listed(clients, bucket)] == ["b.jpg"]


@ON_AWS_ENGINES
def test_what_was_deleted_is_told_in_its_place_where_versions_are_kept(clients, bucket):
    put(clients, bucket, "a.jpg", "b.jpg", "c.jpg")
    for key in ("a.jpg", "b.jpg", "b.jpg"):
        clients["s3"].delete_object(Bucket=bucket, Key=key)
    put(clients, bucket, "a.jpg")

    keeps = clients["s3"].get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    wanted = [("a.jpg", False), *[("b.jpg", True)] * keeps, ("c.jpg", False)]
    assert [(one.key, one.is_gone) for one in told(clients, bucket)] == wanted


@ON_AWS_ENGINES
def test_what_lies_in_an_archive_is_told(clients, bucket):
    for storage_class in ("STANDARD_IA", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"):
        clients["s3"].put_object(Bucket=bucket, Key=storage_class, Body=b"12345", StorageClass=storage_class)

    assert [one.key for one in listed(clients, bucket) if one.is_archived] == ["DEEP_ARCHIVE", "GLACIER"]


@ON_AWS_ENGINES
def test_the_listing_is_asked_whether_what_lies_in_an_archive_was_restored(clients, bucket):
    asked = []
    clients["s3"].meta.events.register(
        "provide-client-params.s3.ListObjectVersions", lambda params, **_: asked.append(params)
    )
    listed(clients, bucket)

    assert [params["OptionalObjectAttributes"] for params in asked] == [("RestoreStatus",)]


@pytest.mark.parametrize(
    ("restored", "archived"),
    [
        (None, True),
        ({"IsRestoreInProgress": True}, True),
        ({"IsRestoreInProgress": False}, True),
        ({"IsRestoreInProgress": False, "RestoreExpiryDate": datetime(2026, 12, 1, tzinfo=UTC)}, False),
    ],
)
def test_what_was_restored_from_an_archive_can_be_read(restored, archived):
    """As S3 documents the entry; neither engine here tells it in its listings."""
    entry = {"Key": "a.jpg", "Size": 1, "StorageClass": "GLACIER"}

    assert is_archived({**entry, "RestoreStatus": restored} if restored else entry) is archived
    assert not is_archived({"Key": "a.jpg", "Size": 1, "StorageClass": "STANDARD"})


@ON_AWS_ENGINES
def test_a_prefix_and_a_place_narrow_it(clients, bucket):
    put(clients, bucket, *(f"{folder}/{number}.jpg" for folder in "ab" for number in range(5)))

    assert [one.key for one in listed(clients, bucket, "a/")] == [f"a/{number}.jpg" for number in range(5)]
    assert [one.key for one in listed(clients, bucket, "a/", after="a/2.jpg")] == ["a/3.jpg", "a/4.jpg"]
    assert [one.key for one in listed(clients, bucket, after="a/4.jpg")] == [f"b/{number}.jpg" for number in range(5)]


@ON_THE_LOCAL_CLOUD
def test_a_place_may_be_gone(clients, bucket):
    put(clients, bucket, "a.jpg", "b.jpg", "c.jpg")

    assert [one.key for one in listed(clients, bucket, after="a.png")] == ["b.jpg", "c.jpg"]


@ON_AWS_ENGINES
def test_an_empty_bucket_has_one_empty_page(clients, bucket):
    assert list(list_current(clients["s3"], bucket)) == [[]]


@ON_AWS_ENGINES
def test_odd_keys_are_listed_in_the_order_of_their_bytes_and_each_is_a_place(clients, bucket):
    put(clients, bucket, *ODD_KEYS)

    keys = [one.key for one in listed(clients, bucket)]

    assert keys == sorted(ODD_KEYS, key=str.encode)
    for place in range(0, len(keys), 7):
        assert [one.key for one in listed(clients, bucket, after=keys[place])] == keys[place + 1 :]


@ON_AWS_ENGINES
def test_no_object_is_lost_between_pages(clients, bucket):
    keys = [f"{number:04}.jpg" for number in range(1_010)]
    put(clients, bucket, *keys)
    put(clients, bucket, *keys[990:1_005])

    pages = list(list_current(clients["s3"], bucket))

    assert [one.key for page in pages for one in page] == keys
    assert len(pages) > 1
