"""What several functional tests start from: the pipeline in memory, a bucket to drain, one of images to compress, an
account that setup fills, and the gallery API on moto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from pipeline.table.records import Records
from setup_scripts import create_dynamodb_table, create_s3_buckets, create_sqs_queue
from setup_scripts.context import Context
from setup_scripts.steps import set_up
from tests.draining import Drained
from tests.functional.aws_account import aws_account, changes, context
from tests.functional.compress_bench import BUCKET, CompressBench
from tests.functional.compress_job import Buckets
from tests.functional.gallery_on_moto import SETTINGS, STATS_TABLE, TABLE, Api, create_tables
from tests.functional.pipeline_in_memory import Pipeline
from tests.local_cloud_fixture import LocalCloud


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


@pytest.fixture
def drained(local_cloud: LocalCloud, tmp_path: Path) -> Drained:
    return Drained(local_cloud, tmp_path)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CompressBench]:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        # What boto does about faults by itself only takes time here.
        s3 = boto3.client("s3", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))
        s3.create_bucket(Bucket=BUCKET)
        yield CompressBench(s3, tmp_path)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account of AWS in memory, which setup may fill."""
    with aws_account(monkeypatch.delenv):
        yield


@pytest.fixture
def shelf() -> dict[str, Any]:
    return {}


@pytest.fixture
def ready(account: None, tmp_path: Path, shelf: dict[str, Any]) -> Context:
    """A context whose deployment is set up."""
    made = context(tmp_path, shelf)
    set_up(made)
    return made


@pytest.fixture
def made(account: None, tmp_path: Path) -> Context:
    """A context whose deployment has what an upload and its record need, and no more."""
    made = context(tmp_path, {})
    for step in (create_s3_buckets, create_sqs_queue, create_dynamodb_table):
        step.create(made)
    changes(made).clear()
    return made


@pytest.fixture
def buckets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Buckets]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Buckets()


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    """moto and a client of it, once for all tests here: making clients is what takes long."""
    with pytest.MonkeyPatch.context() as environ, mock_aws():
        environ.delenv("AWS_ENDPOINT_URL")
        for name, value in SETTINGS.to_environment().items():
            environ.setenv(name, value)
        yield boto3.client("dynamodb")


@pytest.fixture(scope="module")
def imported(cloud: Any) -> Api:
    return Api()


@pytest.fixture
def dynamodb(cloud: Any) -> Iterator[Any]:
    create_tables(cloud)
    yield cloud
    cloud.delete_table(TableName=TABLE)
    cloud.delete_table(TableName=STATS_TABLE)


@pytest.fixture
def records(dynamodb: Any) -> Records:
    return Records(dynamodb, TABLE)


@pytest.fixture
def api(dynamodb: Any, imported: Api) -> Iterator[Api]:
    imported.listen()
    yield imported
    imported.forget()
