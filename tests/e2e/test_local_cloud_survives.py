"""The local cloud after a kill, a stop and a second start: what was there is there, and goes on working."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local_cloud.folder import Folder
from local_cloud.lock import holder
from local_cloud.snapshots import newest
from tests.local_cloud_fixture import LocalCloud, running_local_cloud
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

#: Copies each message into the table; as a stream's function it counts; as a function URL it answers what it sees.
CODE = """
import json, os, sys, urllib.request

def handler(event, context):
    print("working")
    seen = {"path": sys.path, "environment": dict(os.environ), "executable": sys.executable}
    if "Records" not in event:
        return {"statusCode": 200, "body": json.dumps(seen)}
    for record in event["Records"]:
        item = {"Id": {"S": record.get("body") or "stream " + record["dynamodb"]["Keys"]["Id"]["S"]}}
        if not item["Id"]["S"].startswith("stream stream"):
            put(item)

def put(item):
    body = json.dumps({"TableName": "survivors", "Item": item}).encode()
    scope = os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/us-east-1/dynamodb/aws4_request"
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.PutItem",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
    }
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], data=body, headers=headers))
"""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    with running_local_cloud(tmp_path) as cloud:
        yield cloud


def test_kill_9_loses_nothing_that_is_two_seconds_old(cloud):
    resources = build(cloud)
    send(cloud, resources, "before")
    eventually(lambda: {"before", "stream before"} <= items(cloud))
    cloud.client("sqs").send_message(QueueUrl=resources["waiting"], MessageBody="nobody has read this")
    wait_for_snapshot(cloud)

    kill(cloud)
    cloud.start()

    s3 = cloud.client("s3")
    versions = s3.list_object_versions(Bucket="survivors")["Versions"]
    assert sorted(
        s3.get_object(Bucket="survivors", Key="été + 1.jpg", VersionId=version["VersionId"])["Body"].read()
        for version in versions
    ) == [b"one", b"two"]
    assert s3.get_object(Bucket="survivors", Key="été + 1.jpg")["Body"].read() == b"two"
    assert {"before", "stream before"} <= items(cloud)
    waiting = cloud.client("sqs").receive_message(QueueUrl=resources["waiting"])["Messages"]
    assert [message["Body"] for message in waiting] == ["nobody has read this"]
    assert json.loads(invoke(cloud)["body"])["path"]
    send(cloud, resources, "after")
    eventually(lambda: {"after", "stream after"} <= items(cloud))


def test_a_message_that_was_being_worked_on_comes_back_at_once(cloud):
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="long", Attributes={"VisibilityTimeout": "720"})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="half done")
    assert sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.create_queue(QueueName="something-written-after-the-receive")
    wait_for_snapshot(cloud)

    kill(cloud)
    cloud.start()

    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "half done"


def test_a_stop_saves_what_was_written_just_before(cloud):
    resources = build(cloud)
    cloud.client("sqs").send_message(QueueUrl=resources["waiting"], MessageBody="just in time")

    cloud.stop()
    cloud.start()

    waiting = cloud.client("sqs").receive_message(QueueUrl=resources["waiting"])["Messages"]
    assert [message["Body"] for message in waiting] == ["just in time"]


#: What a snapshot may hold that cannot be taken back, by the name of its file.
DAMAGE = {
    "lambda": b'{"__ministack_format__": 99, "payload": {"of": "a later version"}}',
    "sqs": b'{"__ministack_format__": 2, "payload": {"queues": ',
    "dynamodb": b'{"__ministack_format__": 2, "payload": ["no tables"]}',
    "dynamodb_stream_records": b'{"__ministack_format__": 2, "payload": {"streams": [{}]}}',
    "s3": b"\xff",
    "a_service_to_come": b'{"__ministack_format__": 2, "payload": {"of": "a later version"}}',
}


def test_a_snapshot_that_cannot_be_taken_back_whole_is_left_alone(cloud, tmp_path):
    resources = build(cloud)
    cloud.client("sqs").send_message(QueueUrl=resources["waiting"], MessageBody="still here")
    cloud.stop()
    state = Folder(cloud.home).state
    whole = shutil.copytree(state, tmp_path / "whole")
    for name, damage in DAMAGE.items():
        file = newest(state) / f"{name}.json"
        file.write_bytes(damage)
        before = content(state)

        started = cloud.command("start")

        assert started.returncode == 1, name
        assert "did not start" in started.stderr and str(file) in started.stderr and "move" in started.stderr
        assert "Traceback" not in started.stderr
        assert content(state) == before
        shutil.rmtree(state)
        shutil.copytree(whole, state)

    cloud.start()
    waiting = cloud.client("sqs").receive_message(QueueUrl=resources["waiting"])["Messages"]
    assert [message["Body"] for message in waiting] == ["still here"]
    assert json.loads(invoke(cloud)["body"])["path"]


def test_functions_see_their_zip_and_nothing_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_THE_SHELL", "do not pass on")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    with running_local_cloud(tmp_path) as cloud:
        build(cloud)
        seen = json.loads(invoke(cloud)["body"])

    environment = seen["environment"]
    assert "A_SECRET_OF_THE_SHELL" not in environment
    assert "PYTHONPATH" not in environment
    assert environment["AWS_ENDPOINT_URL"] == cloud.endpoint_url
    assert environment["HOME"].startswith(str(tmp_path))
    assert environment["TMPDIR"].startswith(str(tmp_path))
    assert Path(seen["executable"]).is_relative_to(tmp_path / ".local_cloud")
    packages = [Path(entry) for entry in seen["path"] if "site-packages" in entry]
    assert all(list(folder.iterdir()) == [] for folder in packages)


BUSY = """
import os, pathlib, time

def handler(event, context):
    print("busy")
    time.sleep(0.3)
    with open(os.environ["TMPDIR"] + "/workers", "a") as file:
        file.write(str(os.getpid()) + "\\n")
"""


def test_a_mapping_made_for_aws_does_not_start_a_hundred_processes(cloud):
    sqs, functions = cloud.client("sqs"), cloud.client("lambda")
    create_function(cloud, BUSY)
    queue = sqs.create_queue(QueueName="busy")["QueueUrl"]
    for number in range(30):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))

    functions.create_event_source_mapping(
        FunctionName="survivor",
        EventSourceArn="arn:aws:sqs:us-east-1:000000000000:busy",
        BatchSize=1,
        ScalingConfig={"MaximumConcurrency": 100},
    )

    workers = cloud.home / ".local_cloud" / "tmp" / "workers"
    eventually(lambda: workers.exists() and len(workers.read_text().split()) == 30)
    assert len(set(workers.read_text().split())) <= max(2, os.cpu_count() or 2)


def build(cloud: LocalCloud) -> dict[str, str]:
    """A versioned object, a table with a stream, two queues, and a function on the stream and on one of the queues."""
    s3, sqs, dynamodb, functions = (cloud.client(name) for name in ("s3", "sqs", "dynamodb", "lambda"))
    s3.create_bucket(Bucket="survivors")
    s3.put_bucket_versioning(Bucket="survivors", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket="survivors", Key="été + 1.jpg", Body=body)
    table = dynamodb.create_table(
        TableName="survivors",
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]
    create_function(cloud, CODE)
    mapped, waiting = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("mapped", "waiting"))
    arn = sqs.get_queue_attributes(QueueUrl=mapped, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    functions.create_event_source_mapping(FunctionName="survivor", EventSourceArn=arn)
    functions.create_event_source_mapping(
        FunctionName="survivor", EventSourceArn=table["LatestStreamArn"], StartingPosition="TRIM_HORIZON"
    )
    return {"mapped": mapped, "waiting": waiting}


def create_function(cloud: LocalCloud, code: str) -> None:
    cloud.client("lambda").create_function(
        FunctionName="survivor",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="code.handler",
        Code={"ZipFile": zipped(code)},
        Timeout=30,
    )
    cloud.client("lambda").get_waiter("function_active_v2").wait(FunctionName="survivor")


def zipped(code: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("code.py", code)
    return data.getvalue()


def send(cloud: LocalCloud, resources: dict[str, str], body: str) -> None:
    cloud.client("sqs").send_message(QueueUrl=resources["mapped"], MessageBody=body)


def items(cloud: LocalCloud) -> set[str]:
    return {item["Id"]["S"] for item in cloud.client("dynamodb").scan(TableName="survivors")["Items"]}


def invoke(cloud: LocalCloud) -> dict[str, Any]:
    answer = cloud.client("lambda").invoke(FunctionName="survivor", Payload=b"{}")
    result: dict[str, Any] = json.loads(answer["Payload"].read())
    return result


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def wait_for_snapshot(cloud: LocalCloud) -> None:
    """Until a snapshot has been taken that began after this call: the second one after two more writes."""
    state = cloud.home / ".local_cloud" / "state"
    for number in range(2):
        before = newest(state)
        cloud.client("sqs").create_queue(QueueName=f"written-{number}")
        eventually(partial(is_newer_than, before, state))


def is_newer_than(before: Path | None, state: Path) -> bool:
    return newest(state) != before


def kill(cloud: LocalCloud) -> None:
    lock = cloud.home / ".local_cloud" / "server.lock"
    running = holder(lock)
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: holder(lock) is None)
