"""A deployment on a local cloud of its own whose function works through a fault proxy, with time running faster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.queues import DeadLetterQueue
from pipeline.table.records import Records, decode_item
from tests.deployed import Deployment
from tests.local_cloud_fixture import own_errors, running_local_cloud
from tests.waiting import eventually

FUNCTION = "ImageProcessingFunction"


@dataclass(frozen=True)
class Tortured:
    """What a test needs to know of the deployment. Everything here goes past the proxy."""

    deployment: Deployment
    names: Mapping[str, str]
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.clients.setdefault(service, self.deployment.cloud.client(service))

    def work_through(self, endpoint_url: str, *, visibility: int, function_timeout: int, batch_size: int = 10) -> None:
        """Let the function call AWS at `endpoint_url`; its own time-out, as it knows it, and the queue's as given.

        It is stopped for being slow only where `function_timeout` lets it begin work at all: it begins none within its
        last 25 seconds.
        """
        functions = self.client("lambda")
        # A change of the function ends its processes, and what they were at work on is hidden for a long time.
        self.wait_until_idle(timeout=60)
        functions.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)
        present = functions.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
        changed = {"AWS_ENDPOINT_URL": endpoint_url, "FUNCTION_TIMEOUT": str(function_timeout)}
        functions.update_function_configuration(
            FunctionName=FUNCTION, Timeout=max(40, function_timeout), Environment={"Variables": present | changed}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)
        [mapping] = functions.list_event_source_mappings(FunctionName=FUNCTION)["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=batch_size)
        self.client("sqs").set_queue_attributes(
            QueueUrl=self.names["messages-queue"], Attributes={"VisibilityTimeout": str(visibility)}
        )

    def upload(self, key: str, data: bytes) -> None:
        self.client("s3").put_object(Bucket=self.names["images-bucket"], Key=key, Body=data)

    def delete(self, key: str) -> None:
        self.client("s3").delete_object(Bucket=self.names["images-bucket"], Key=key)

    def records(self) -> dict[str, dict[str, Any]]:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.names["dynamodb-table"])
        items = [decode_item(item) for page in pages for item in page["Items"]]
        return {item["ImageID"]: item for item in items}

    def outcomes(self) -> dict[str, str | None]:
        """Every image's outcome, or the code of its failure."""
        return {key: record.get("ErrorCode") or record["Outcome"] for key, record in self.records().items()}

    def objects(self, bucket: str, prefix: str = "") -> set[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.names[bucket], Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def outputs(self) -> set[str]:
        return self.objects("thumbnails-bucket", "thumbnails/") | self.objects("thumbnails-bucket", "compressed/")

    def count(self, queue: str) -> int:
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.names[queue], AttributeNames=["All"])
        return sum(int(answer["Attributes"][name]) for name in _COUNTS)

    def visible(self, queue: str) -> int:
        """Messages that nobody has."""
        name = _COUNTS[0]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.names[queue], AttributeNames=[name])
        return int(answer["Attributes"][name])

    def wait_until_idle(self, *, timeout: float) -> None:
        eventually(lambda: self.count("messages-queue") == 0, timeout=timeout)

    def redrive(self) -> int:
        """What `python status.py --redrive` does; returns how many dead letters there were."""
        letters = DeadLetterQueue(self.client("sqs"), self.names["dead-letter-queue"], wait=0)
        count = 0
        for letter in letters.receive():
            letters.send_back(letter, self.names["messages-queue"])
            count += 1
        return count

    def wrongs(self, wanted: Mapping[str, str | None]) -> list[str]:
        """In what the end differs: `wanted` has each key's outcome or error code, None for an object that is gone."""
        records, outputs = self.records(), self.outputs()
        wrongs = []
        for key, outcome in wanted.items():
            record = records.get(key)
            seen = record and (record.get("ErrorCode") or record["Outcome"])
            if seen != outcome:
                wrongs.append(f"{key}: {seen}, not {outcome}")
        named = {one["OutputKey"] for record in records.values() for one in record.get("Outputs", ())}
        wrongs += [f"missing: {key}" for key in sorted(named - outputs)]
        wrongs += [f"orphaned: {key}" for key in sorted(outputs - named)]
        wrongs += [f"not asked for: {key}" for key in sorted(records.keys() - wanted.keys())]
        heads = Records(self.client("dynamodb"), self.names["dynamodb-table"])
        for key in [key for key, outcome in wanted.items() if outcome]:
            current = self.client("s3").head_object(Bucket=self.names["images-bucket"], Key=key)
            record_now = heads.get(key)
            if record_now and record_now.version_id != current["VersionId"]:
                wrongs.append(f"{key}: the record is of another version")
        return wrongs

    def facts(self) -> dict[str, Any]:
        """What has to be the same in every run: all of the records but times and versions, and the outputs' bytes."""
        volatile = {"ProcessedAt", "VersionId", "Outputs", "ThumbnailKey", "ThumbnailURL", "CompressedKey",
                    "CompressedURL"}  # fmt: skip
        return {
            key: {name: str(value) for name, value in record.items() if name not in volatile}
            for key, record in self.records().items()
        }


_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)


@contextmanager
def tortured_deployment(folder: Path) -> Iterator[Tortured]:
    with running_local_cloud(folder) as cloud:
        deployment = Deployment(cloud)
        done = deployment.command("setup.py", "--local")
        assert done.returncode == 0, done.stderr
        yield Tortured(deployment, deployment.resources)
        assert own_errors(cloud) == []
