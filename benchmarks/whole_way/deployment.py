"""A deployment on a metered local cloud of its own, driven by the product's commands, and whose CPU time it takes."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.local_cloud import command, cpu_seconds, surroundings
from benchmarks.metering import BENCHMARK, metered_cloud, read
from benchmarks.whole_way.cells import Cell, cell
from benchmarks.whole_way.load import load
from pipeline.table.items import CAPTURE_FIELDS, PUBLIC_FIELDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

#: What a function is called in the figures, by its key in the state.
FUNCTIONS = {"lambda-function": "processing", "gallery-function": "gallery", "stats-function": "totals"}
EMULATOR = "local cloud"
CLIENT = "benchmark"
#: Index entries are written for every record that is no failure.
INDEXES = 2
#: A marker in a transaction: a kilobyte begun, twice.
MARKER_UNITS = 2


@dataclass(frozen=True)
class Deployment:
    s3: S3Client
    dynamodb: DynamoDBClient
    resources: Mapping[str, str]
    server: int
    log: Path

    def measure(self, size: str, parallel: int, pictures: Sequence[bytes], seconds: float, *, folder: str) -> Cell:
        """Upload for so many `seconds`, under keys in `folder` and one of the cell's own."""
        bucket, address = self.resources["images-bucket"], self.resources["gallery-api-url"]
        prefix = f"{folder}/{size.replace(' ', '-')}/{parallel}"
        before, seen_before = self.cpu(), len(read(self.log))
        seen = load(self.s3, bucket, address, pictures, prefix=prefix, parallel=parallel, seconds=seconds)
        used = {who: seconds - before.get(who, 0.0) for who, seconds in self.cpu().items()}
        return cell(size, parallel, pictures, seen, read(self.log)[seen_before:], used)

    def cpu(self) -> dict[str, float]:
        """Seconds so far by who used them."""
        names = {self.resources[key]: name for key, name in FUNCTIONS.items()}
        times = os.times()
        found = {EMULATOR: 0.0, CLIENT: times.user + times.system}
        for pid, seconds in cpu_seconds(self.server).items():
            who = EMULATOR if pid == self.server else names.get(_function(pid), EMULATOR)
            found[who] = found.get(who, 0.0) + seconds
        return found

    def write_units(self) -> float:
        """DynamoDB's write units of an image: item, index entries, its marker in the totals and the totals."""
        [item] = self.dynamodb.scan(TableName=self.resources["dynamodb-table"], Limit=1)["Items"]
        shown = {name: value for name, value in item.items() if name in (*PUBLIC_FIELDS, *CAPTURE_FIELDS, "Feed")}
        return _units(item) + INDEXES * _units(shown) + 2 * MARKER_UNITS


def _units(item: Mapping[str, Any]) -> int:
    return math.ceil(sum(len(name) + _size(value) for name, value in item.items()) / 1024)


def _size(typed: Mapping[str, Any]) -> int:
    """Bytes of a value as DynamoDB counts them ("DynamoDB item sizes and formats"); numbers a little above."""
    [(kind, value)] = typed.items()
    if kind == "L":
        return 3 + sum(1 + _size(one) for one in value)
    if kind == "M":
        return 3 + sum(1 + len(name) + _size(one) for name, one in value.items())
    if kind == "N":
        return 1 + math.ceil(len(value) / 2)
    return len(str(value).encode()) if kind == "S" else 1


def _function(pid: int) -> str:
    """The name of the function that a process runs."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    found = (line.partition(b"=")[2] for line in variables if line.startswith(b"AWS_LAMBDA_FUNCTION_NAME="))
    return next(found, b"").decode()


@contextmanager
def deployed() -> Iterator[Deployment]:
    """Sets up, and takes everything away again."""
    with tempfile.TemporaryDirectory(prefix="image-pipeline-") as folder:
        environ = surroundings(Path(folder, "home"))
        log = Path(folder, "requests.jsonl")
        with metered_cloud(environ, log):
            command(environ, "setup.py", "--local")
            shelve = json.loads(command(environ, "show_shelve.py", "--json"))
            resources = {key.rsplit("/", 1)[1]: value for key, value in shelve.items() if key.startswith("local/")}
            server = int(json.loads(command(environ, "-m", "local_cloud", "status", "--json"))["pid"])
            endpoint = f"http://127.0.0.1:{environ['LOCAL_CLOUD_PORT']}"
            yield Deployment(_client("s3", endpoint), _client("dynamodb", endpoint), resources, server, log)


def _client(service: str, endpoint_url: str) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(max_pool_connections=64, user_agent_extra=BENCHMARK, proxies={}),
    )
