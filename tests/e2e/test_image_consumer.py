"""The consumer as operators run it: a program with a queue, a bucket, the web and receivers of postbacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from tests.hostile_texts import HOSTILE
from tests.images import jpeg, photo
from tests.local_cloud_fixture import ROOT, LocalCloud
from tests.waiting import eventually
from tests.web import Web, running_web

pytestmark = pytest.mark.local_cloud

MODULE = "imageservice.ports.workers.image_resizing_consumer"
SECRET = "whsec_" + "c2VjcmV0IG9mIHRoaXMgdGVzdCBvbmx5LCBub25lIG9mIG91cnM="
JPEG = jpeg(photo((400, 300)), quality=90)


@dataclass
class Service:
    """A queue, a bucket and the web, and the environment of a consumer for them."""

    cloud: LocalCloud
    web: Web
    queue_url: str
    bucket: str
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.clients.setdefault(service, self.cloud.client(service))

    def environ(self, **more: str) -> dict[str, str]:
        own = {"QUEUE_URL": self.queue_url, "IMAGES_BUCKET": self.bucket, "POSTBACK_SIGNING_SECRETS": SECRET}
        return {**self.cloud.environ, **self.web.environ, **own, "LEVEL": "INFO", **more}

    def send(self, **message: Any) -> str:
        given = {"image_url": f"{self.web.address}/a.jpg", "postback_url": f"{self.web.address}/postback", **message}
        own = uuid4().hex
        sent = self.client("sqs").send_message(
            QueueUrl=self.queue_url, MessageBody=json.dumps(given), MessageGroupId=own, MessageDeduplicationId=own
        )
        return str(sent["MessageId"])

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", MODULE, *arguments],
            cwd=ROOT,
            env=self.environ(**environ),
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def consumer(self, *arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
        """A consumer that is asked to stop in the end."""
        process = self.start(*arguments, **environ)
        try:
            yield process
        finally:
            stop(process)

    def waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.client("sqs").get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the lines of the log, of a consumer that is asked to stop."""
    if process.poll() is None:
        process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, [json.loads(line) for line in errors.splitlines()]


@pytest.fixture
def service(local_cloud: LocalCloud) -> Iterator[Service]:
    with running_web() as web:
        own = uuid4().hex[:8]
        sqs, s3 = local_cloud.client("sqs"), local_cloud.client("s3")
        attributes = {"FifoQueue": "true", "VisibilityTimeout": "60"}
        queue_url = sqs.create_queue(QueueName=f"ImageQueue-{own}.fifo", Attributes=attributes)["QueueUrl"]
        s3.create_bucket(Bucket=f"images-{own}")
        web.pages["/a.jpg"] = JPEG
        yield Service(local_cloud, web, queue_url, f"images-{own}")


def test_a_message_becomes_three_sizes_a_redirection_and_a_signed_postback(service: Service):
    queue = service.client("sqs").create_queue(QueueName=f"ChannelImages-{uuid4().hex[:8]}")["QueueUrl"]
    service.send(bucket_name="TEST", redirect_queue=queue.rpartition("/")[2], extra={"kept": [1]})

    process = service.start("-w", "1")
    eventually(lambda: service.web.posted and not service.waiting())
    code, log = stop(process)

    [posted] = service.web.posted
    urls = {size: one["url"] for size, one in posted.body["image_url_info"].items()}
    assert list(urls) == ["50x50", "250X250", "800x800"] and posted.body["extra"] == {"kept": [1]}
    start = f"{service.cloud.endpoint_url}/{service.bucket}/images-resized/TEST/"
    assert all(url.startswith(start) and url.endswith(f"_{size}.jpeg") for size, url in urls.items())
    for url in urls.values():
        key = url.removeprefix(f"{service.cloud.endpoint_url}/{service.bucket}/")
        assert service.client("s3").head_object(Bucket=service.bucket, Key=key)["ContentType"] == "image/jpeg"
    [redirected] = service.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(redirected["Body"]) == posted.body
    assert posted.headers["webhook-id"].startswith("msg_") and posted.headers["webhook-signature"].startswith("v1,")
    assert code == 0 and log[-1]["message"] == "Graceful exit."
    assert [line["outcome"] for line in log if "outcome" in line] == ["DONE"]


def test_several_workers_share_the_work_and_end_together(service: Service):
    for number in range(8):
        service.send(number=number)

    process = service.start("-w", "4")
    eventually(lambda: len(service.web.posted) >= 8 and not service.waiting())
    code, log = stop(process, signal.SIGINT)

    done = [line for line in log if line.get("outcome") == "DONE"]
    assert sorted(posted.body["number"] for posted in service.web.posted) == list(range(8))
    assert len({line["pid"] for line in done}) > 1
    assert code == 0 and [line["message"] for line in log].count("Graceful exit.") == 1


def test_a_worker_that_dies_is_replaced_and_its_message_is_done_by_another(service: Service):
    hanging = True

    def hang(method: str, path: str) -> int | None:
        eventually(lambda: not hanging)
        return None

    service.web.disturb = hang
    service.send()
    process = service.start("-w", "2", VISIBILITY_TIMEOUT="4")
    eventually(lambda: service.web.fetched)
    for pid in children(process.pid):
        os.kill(pid, signal.SIGKILL)
    hanging = False
    eventually(lambda: service.web.posted and not service.waiting())
    code, log = stop(process)

    assert code == 0 and [line["status"] for line in log if "status" in line] == [-9, -9]


def test_a_consumer_that_waits_for_messages_stops_soon(service: Service):
    process = service.start("-w", "2")
    eventually(lambda: len(children(process.pid)) == 2)
    service.send()
    eventually(lambda: service.web.posted and not service.waiting())

    begun = time.monotonic()
    code, _ = stop(process)

    assert code == 0 and time.monotonic() - begun < 20


def test_a_consumer_whose_parent_is_killed_leaves_no_worker_behind(service: Service):
    process = service.start("-w", "2")
    eventually(lambda: len(children(process.pid)) == 2)
    workers = children(process.pid)

    process.kill()
    process.wait()

    eventually(lambda: not [pid for pid in workers if os.path.exists(f"/proc/{pid}")])
    process.communicate()


def test_a_message_that_takes_longer_than_its_visibility_is_not_given_to_another(service: Service):
    begun = time.monotonic()
    service.web.disturb = lambda method, path: eventually(lambda: time.monotonic() > begun + 10) and None
    service.send()

    with service.consumer("-w", "2", VISIBILITY_TIMEOUT="3"):
        eventually(lambda: service.web.posted and not service.waiting())

    assert len(service.web.fetched) == 1 and len(service.web.posted) == 1


def children(pid: int) -> list[int]:
    """The processes that `pid` started."""
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]


def test_logs_are_ours_alone_and_neither_they_nor_queue_nor_bucket_hold_a_secret(service: Service):
    secret = "a-secret-of-the-older-kind"
    queue = service.client("sqs").create_queue(QueueName=f"ChannelImages-{uuid4().hex[:8]}")["QueueUrl"]
    failing = [503]
    service.web.disturb = lambda method, path: failing.pop() if method == "POST" and failing else None
    service.send(redirect_queue=queue.rpartition("/")[2])

    process = service.start(LEVEL="DEBUG", POSTBACK_SECRET_KEY=secret)
    kept = eventually(lambda: _kept(service))
    eventually(lambda: service.web.posted and not service.waiting())
    _, log = stop(process)

    [redirected] = service.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert service.web.posted[0].body["postback_secret_key"] == secret
    assert {line["logger"].split(".")[0] for line in log} == {"imageservice"}
    assert not [text for text in (json.dumps(log), redirected["Body"], kept) if secret in text or SECRET[6:] in text]


def test_no_message_writes_a_line_of_its_own_and_no_url_tells_its_secrets(service: Service):
    secret = "X-Amz-Signature=" + "5ec4e7" * 8
    address = service.web.address
    service.web.pages[f"/a.jpg?{secret}"] = JPEG
    for text in (*HOSTILE[::4], '\n{"level":"ERROR"}', "\x9b31m\u2028\x85\x7f"):
        service.send(image_url=f"{address}/{text}", bucket_name="TEST", redirect_queue=text)
        service.send(image_url=text)
    service.send(image_url=f"{address}/missing.jpg?{secret}")
    service.send(image_url=f"{address}/a.jpg?{secret}", postback_url=f"{address}/postback?{secret}")
    service.send(image_url=address.replace("http://", f"http://me:{secret}@") + "/a.jpg")

    process = service.start("-w", "1", LEVEL="DEBUG")
    eventually(lambda: not service.waiting())
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)

    assert log.isascii() and all(char.isprintable() or char == "\n" for char in log)
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["logger"].split(".")[0] for line in lines} == {"imageservice"}
    outcomes = [line["outcome"] for line in lines if "outcome" in line]
    assert (outcomes.count("FAILED"), outcomes.count("DONE")) == (len(outcomes) - 1, 1) and len(outcomes) > 40
    listed = service.client("s3").list_objects_v2(Bucket=service.bucket).get("Contents", [])
    assert secret not in log and secret not in json.dumps(listed, default=str)


def _kept(service: Service) -> str | None:
    """What waits in the bucket to be said."""
    s3 = service.client("s3")
    found = s3.list_objects_v2(Bucket=service.bucket, Prefix="deliveries/").get("Contents", [])
    return str(s3.get_object(Bucket=service.bucket, Key=found[0]["Key"])["Body"].read()) if found else None
