"""Bytes that are damaged on their way to S3: its answer says so, and nothing wrong is ever kept."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from pipeline.clients import make_client
from pipeline.errors import RetryError
from pipeline.job import Output
from pipeline.storage import Storage

pytestmark = pytest.mark.local_cloud

OUTPUT = Output("compressed", b"pixels" * 1000, "image/jpeg", "JPEG", (2, 1))


class Line:
    """Damages the bodies of the first `times` uploads that pass, after their checksums were taken."""

    def __init__(self, s3: Any, times: int) -> None:
        self.times, self.sent = times, 0
        s3.meta.events.register("before-send.s3.PutObject", self)

    def __call__(self, request: Any, **_: object) -> None:
        self.sent += 1
        if self.sent <= self.times:
            body = request.body if isinstance(request.body, bytes) else request.body.read()
            request.body = body.replace(b"pixels", b"pixelz", 1)
            assert request.body != body


@pytest.fixture
def s3(local_cloud):
    return make_client(None, "s3", endpoint_url=local_cloud.endpoint_url, region="us-east-1")


@pytest.fixture
def bucket(s3):
    name = f"outputs-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    return name


def test_what_is_damaged_on_its_way_is_not_kept_and_the_next_try_puts_it_right(s3, bucket):
    Line(s3, 1)

    with pytest.raises(RetryError, match="BadDigest"):
        Storage(s3).put_output(bucket, "a.jpg", OUTPUT)
    kept = s3.list_objects_v2(Bucket=bucket)["KeyCount"]
    Storage(s3).put_output(bucket, "a.jpg", OUTPUT)

    assert kept == 0
    assert s3.get_object(Bucket=bucket, Key="a.jpg")["Body"].read() == OUTPUT.data
