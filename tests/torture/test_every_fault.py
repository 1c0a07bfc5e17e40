"""Every fault at every call of one job, each once: the job is done, or asks for another try and is done then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from pipeline.budget import PixelBudget
from pipeline.clients import make_client
from pipeline.errors import RetryError, SkipError
from pipeline.images.transform import transform
from pipeline.job import Job, S3Source
from pipeline.process import process
from pipeline.services import Services
from pipeline.storage import Storage
from pipeline.table.records import Records
from tests.functional.pipeline_in_memory import WANTED
from tests.images import jpeg, photo
from tests.torture.fault_proxy import FAULTS, Call, fault_proxy

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud]

OPERATIONS = ("GetItem", "GetObject", "PutObject", "UpdateItem", "DeleteObjects", "HeadObject", "DeleteItem")
PICTURES = [jpeg(photo((16, side)), quality=95) for side in (16, 24)]


class Once:
    """Meets the first call of one operation with one fault."""

    def __init__(self) -> None:
        self.wanted: tuple[str, str] | None = None

    def __call__(self, call: Call) -> str | None:
        if self.wanted is None or call.operation != self.wanted[0]:
            return None
        fault, self.wanted = self.wanted[1], None
        return fault


class Deployed:
    """Buckets and a table in the local cloud, and the services that reach them through the proxy."""

    def __init__(self, local_cloud: Any, address: str, once: Once) -> None:
        self.once = once
        self.direct = {name: local_cloud.client(name) for name in ("s3", "dynamodb")}
        suffix = uuid4().hex[:8]
        self.uploads, self.outputs, self.table = f"up-{suffix}", f"out-{suffix}", f"Table-{suffix}"
        for bucket in (self.uploads, self.outputs):
            self.direct["s3"].create_bucket(Bucket=bucket)
        self.direct["s3"].put_bucket_versioning(Bucket=self.uploads, VersioningConfiguration={"Status": "Enabled"})
        self.direct["dynamodb"].create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "ImageID", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "ImageID", "KeyType": "HASH"}],
        )
        self.services = Services(
            storage=Storage(make_client(None, "s3", endpoint_url=address, region="us-east-1")),
            records=Records(make_client(None, "dynamodb", endpoint_url=address, region="us-east-1"), self.table),
            budget=PixelBudget(64_000_000),
            outputs_bucket=self.outputs,
            outputs_url="http://outputs",
            uploads_url="http://uploads",
            # Nothing is young here: one worker at a time.
            function_timeout=0,
            isolated=transform,
        )

    def run(self, key: str, *, deliveries: int = 1) -> None:
        outputs = tuple(type(one)(one.name, one.options, self.outputs, one.folder) for one in WANTED)
        try:
            process(Job(source=S3Source(self.uploads, key), outputs=outputs, deliveries=deliveries), self.services)
        except SkipError:
            pass

    def named(self, key: str) -> set[str]:
        record = Records(self.direct["dynamodb"], self.table).get(key)
        return set(record.output_keys) if record else set()

    def present(self, key: str) -> set[str]:
        answers = [
            self.direct["s3"].list_objects_v2(Bucket=self.outputs, Prefix=f"{one.folder}/{key}/") for one in WANTED
        ]
        return {entry["Key"] for answer in answers for entry in answer.get("Contents", [])}


@pytest.fixture(scope="module")
def deployed(local_cloud: Any) -> Iterator[Deployed]:
    once = Once()
    with fault_proxy(local_cloud.port, once) as address:
        yield Deployed(local_cloud, address, once)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_any_fault_at_any_call_is_got_over(deployed, operation, full_torture):
    for fault in FAULTS if full_torture else ("answer lost", "truncated", "503 SlowDown"):
        get_over(deployed, operation, fault)


def get_over(deployed: Deployed, operation: str, fault: str) -> None:
    key = f"{operation} {fault}.jpg"
    put = deployed.direct["s3"].put_object
    put(Bucket=deployed.uploads, Key=key, Body=PICTURES[0])
    deployed.run(key)
    # An object that is replaced needs every call but DeleteItem, one that is removed needs that.
    if operation == "DeleteItem":
        deployed.direct["s3"].delete_object(Bucket=deployed.uploads, Key=key)
    else:
        put(Bucket=deployed.uploads, Key=key, Body=PICTURES[1])

    deployed.once.wanted = (operation, fault)
    try:
        deployed.run(key)
    except RetryError:
        deployed.run(key, deliveries=2)

    assert deployed.once.wanted is None, "the fault never came"
    assert deployed.present(key) == deployed.named(key)
    assert len(deployed.named(key)) == (0 if operation == "DeleteItem" else 2)
