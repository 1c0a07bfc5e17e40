"""The engines that every contract runs against: our own in memory, moto's, and the local cloud's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from moto import mock_aws

from pipeline.clients import make_client
from pipeline.storage import Storage
from pipeline.table.records import Records
from tests.memory_cloud import MemoryRecords, MemoryStorage


@dataclass
class StorageEngine:
    """A storage, an empty versioned bucket in it, and the ways in which a user puts and removes objects there."""

    name: str
    storage: Any
    bucket: str
    put: Any
    remove: Any


_AWS_ENGINES = ["moto", pytest.param("local cloud", marks=pytest.mark.local_cloud)]

#: For what only an engine that speaks AWS's own API can show.
ON_AWS_ENGINES = pytest.mark.parametrize("clients", _AWS_ENGINES, indirect=True)


@pytest.fixture(params=["memory", *_AWS_ENGINES])
def clients(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any] | None]:
    """Clients of the engine, or None for the one in memory, which needs none."""
    if request.param == "memory":
        yield None
    elif request.param == "moto":
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        with mock_aws():
            yield {name: make_client(None, name, region="us-east-1") for name in ("s3", "dynamodb", "sqs")}
    else:
        address = request.getfixturevalue("local_cloud").endpoint_url
        yield {
            name: make_client(None, name, endpoint_url=address, region="us-east-1")
            for name in ("s3", "dynamodb", "sqs")
        }


@pytest.fixture
def engine(clients: dict[str, Any] | None, request: pytest.FixtureRequest) -> StorageEngine:
    if clients is None:
        memory = MemoryStorage(versioned=("uploads",))
        return StorageEngine("memory", memory, "uploads", memory.put, memory.remove)
    s3, bucket = clients["s3"], f"uploads-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return StorageEngine(
        request.node.callspec.params["clients"],
        Storage(s3),
        bucket,
        lambda bucket, key, data: s3.put_object(Bucket=bucket, Key=key, Body=data),
        lambda bucket, key: s3.delete_object(Bucket=bucket, Key=key),
    )


@pytest.fixture
def records(clients: dict[str, Any] | None) -> Any:
    if clients is None:
        return MemoryRecords()
    name = f"ImageMetadata-{uuid4().hex[:8]}"
    clients["dynamodb"].create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "ImageID", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "ImageID", "KeyType": "HASH"}],
    )
    return Records(clients["dynamodb"], name)
