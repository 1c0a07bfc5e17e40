"""What belongs to an original besides its bytes, and stays when these are replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from pipeline.errors import SkipError
from pipeline.job import Output
from pipeline.storage import Storage
from tests.contract.conftest import ON_AWS_ENGINES

pytestmark = ON_AWS_ENGINES
OUTPUT = Output("compressed", b"pixels", "image/jpeg", "JPEG", (2, 1))
HEADERS = {
    "ContentType": "image/x-own",
    "CacheControl": "max-age=7",
    "ContentDisposition": 'attachment; filename="a.jpg"',
    "ContentLanguage": "pt",
    "StorageClass": "STANDARD_IA",
    "ServerSideEncryption": "AES256",
}
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture
def s3(clients):
    return clients["s3"]


@pytest.fixture
def bucket(s3):
    name = f"originals-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    return name


def replace(s3, bucket, *, keep_headers=True):
    storage = Storage(s3)
    found = storage.get(bucket, "a.jpg", max_bytes=100)
    storage.replace(bucket, "a.jpg", OUTPUT, found, mark="quality=80", keep_headers=keep_headers)
    return s3.head_object(Bucket=bucket, Key="a.jpg")


def test_headers_metadata_and_tags_stay(s3, bucket):
    tags = "kind=holiday&who=a%20b"
    s3.put_object(Bucket=bucket, Key="a.jpg", Body=b"original", Metadata={"owner": "ada"}, Tagging=tags, **HEADERS)

    after = replace(s3, bucket)

    assert {name: after.get(name) for name in HEADERS} == HEADERS
    assert after["Metadata"]["owner"] == "ada" and after["Metadata"]["image-pipeline-compressed"] == "quality=80"
    kept = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key="a.jpg")["TagSet"]}
    assert kept == {"kind": "holiday", "who": "a b"}


def test_an_acl_that_says_more_than_the_usual_stays(s3, bucket):
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a.jpg", Body=b"original", ACL="public-read")
    before = s3.get_object_acl(Bucket=bucket, Key="a.jpg")["Grants"]

    replace(s3, bucket)

    after = s3.get_object_acl(Bucket=bucket, Key="a.jpg")["Grants"]
    assert _said(after) == _said(before) and EVERYBODY in str(after)


def _said(grants):
    return {(grant["Permission"], grant["Grantee"].get("URI") or grant["Grantee"].get("ID")) for grant in grants}


def test_where_acls_are_off_none_is_sent(s3, bucket):
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
    s3.put_object(Bucket=bucket, Key="a.jpg", Body=b"original")
    asked = []
    s3.meta.events.register("before-call.s3.GetObjectAcl", lambda **call: asked.append(call))

    replace(s3, bucket)

    assert asked == []


def test_metadata_that_leave_no_room_for_the_mark_leave_the_original_alone(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a.jpg", Body=b"original", Metadata={"long": "x" * 2000})

    with pytest.raises(SkipError, match="no room"):
        replace(s3, bucket)

    assert s3.get_object(Bucket=bucket, Key="a.jpg")["Body"].read() == b"original"


@pytest.mark.parametrize(("days", "stays"), [(30, True), (-30, False)])
def test_a_retention_stays_until_its_time_is_over_and_a_legal_hold_always(s3, bucket, days, stays):
    """S3 goes on naming one whose time is over, and refuses to be told of it again; the engines here take it."""
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    sent: list[dict[str, Any]] = []
    storage = Storage(s3)
    s3.put_object(Bucket=bucket, Key="a.jpg", Body=b"original")
    s3.meta.events.register(
        "after-call.s3.GetObject", lambda parsed, **_: parsed.update(lock, ObjectLockLegalHoldStatus="ON")
    )
    found = storage.get(bucket, "a.jpg", max_bytes=100)

    def note(params, **_):
        sent.append({name: value for name, value in params.items() if name.startswith("ObjectLock")})
        for name in sent[-1]:
            del params[name]

    s3.meta.events.register("provide-client-params.s3.PutObject", note)
    storage.replace(bucket, "a.jpg", OUTPUT, found, mark="quality=80", keep_headers=True)

    assert sent == [{**(lock if stays else {}), "ObjectLockLegalHoldStatus": "ON"}]
