"""A bucket is emptied of all that S3 can hold, before teardown deletes it."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import pytest

from setup_scripts.emptying import empty_bucket
from tests.contract.conftest import ON_AWS_ENGINES

PLAIN, ODD = ["a.jpg", "folder/b c.jpg"], ["control\x01.jpg", "\uffff"]


@pytest.fixture
def bucket(clients) -> str:
    name = f"emptying-{uuid4().hex[:8]}"
    clients["s3"].create_bucket(Bucket=name)
    return name


def rest(s3, bucket):
    versions = s3.list_object_versions(Bucket=bucket)
    return [entry["Key"] for entry in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]]


@ON_AWS_ENGINES
@pytest.mark.parametrize("keys", [PLAIN + ODD, ODD])
def test_keys_that_no_xml_can_name_go_too_and_never_in_one_call_with_others(clients, bucket, keys):
    s3, together = clients["s3"], list[str]()
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"data")
    # Neither engine can list such keys by their versions; S3 does, with encoded names.
    listing = SimpleNamespace(status_code=200), {"Versions": [{"Key": key, "VersionId": "null"} for key in keys]}
    s3.meta.events.register("before-call.s3.ListObjectVersions", lambda **_: listing)
    s3.meta.events.register(
        "provide-client-params.s3.DeleteObjects",
        lambda params, **_: together.extend(one["Key"] for one in params["Delete"]["Objects"]),
    )

    empty_bucket(s3, bucket)

    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert together == [key for key in PLAIN if key in keys]


@ON_AWS_ENGINES
def test_all_versions_delete_markers_and_unfinished_uploads_go(clients, bucket):
    s3 = clients["s3"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="a.jpg", Body=body)
    s3.delete_object(Bucket=bucket, Key="a.jpg")
    s3.create_multipart_upload(Bucket=bucket, Key="half.jpg")

    empty_bucket(s3, bucket)

    assert rest(s3, bucket) == []
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")
