"""What several functional tests start from: the pipeline in memory, a bucket to drain, one of
images to compress, and the gallery API on moto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from pipeline.table.records import Records
from tests.draining import Drained
from tests.functional.compress_bench import BUCKET, CompressBench
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
