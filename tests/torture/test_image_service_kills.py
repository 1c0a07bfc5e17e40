"""Consumers that are killed at any moment, while AWS and the web fail: every message ends answered."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.images import jpeg, photo
from tests.local_cloud_fixture import ROOT, LocalCloud, running_local_cloud
from tests.torture.fault_proxy import fault_proxy, mixed
from tests.torture.results import Results
from tests.web import Web, running_web

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud, pytest.mark.timeout(3600)]

MODULE = "imageservice.ports.workers.image_resizing_consumer"
SIZES = {"50x50", "250X250", "800x800"}
SHARE = 0.1
WORKERS = 8


@dataclass
class Tortured:
    cloud: LocalCloud
    web: Web
    sqs: Any
    s3: Any
    queue_url: str
    redirect_url: str
    bucket: str

    def send(self, number: int) -> None:
        body = {
            "number": number,
            "image_url": f"{self.web.address}/{number % 7}.jpg",
            "redirect_queue": self.redirect_url.rpartition("/")[2],
            "postback_url": f"{self.web.address}/postback",
        }
        own = uuid4().hex
        self.sqs.send_message(
            QueueUrl=self.queue_url, MessageBody=json.dumps(body), MessageGroupId=own, MessageDeduplicationId=own
        )

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())

    def redirected(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The id of the reply and the body of each message that was redirected."""
        while messages := self.sqs.receive_message(
            QueueUrl=self.redirect_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            VisibilityTimeout=3600,
            WaitTimeSeconds=1,
        ).get("Messages"):
            for message in messages:
                yield message["MessageAttributes"]["ReplyId"]["StringValue"], json.loads(message["Body"])

    @contextmanager
    def consumer(self, endpoint_url: str) -> Iterator[subprocess.Popen[bytes]]:
        told = {
            "QUEUE_URL": self.queue_url,
            "IMAGES_BUCKET": self.bucket,
            "AWS_ENDPOINT_URL": endpoint_url,
            "VISIBILITY_TIMEOUT": "5",
            "LEVEL": "WARNING",
        }
        environ = {**self.cloud.environ, **self.web.environ, **told}
        command = [sys.executable, "-m", MODULE, "-w", str(WORKERS)]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(120)


@pytest.fixture(scope="module")
def tortured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tortured]:
    with running_web() as web, running_local_cloud(tmp_path_factory.mktemp("image-service")) as cloud:
        sqs, s3 = cloud.client("sqs"), cloud.client("s3")
        s3.create_bucket(Bucket="images")
        fifo = {"FifoQueue": "true"}
        queue_url = sqs.create_queue(QueueName="ImageQueue.fifo", Attributes=fifo)["QueueUrl"]
        redirect_url = sqs.create_queue(QueueName="Next")["QueueUrl"]
        web.pages |= {f"/{number}.jpg": jpeg(photo((900 + number, 600)), quality=85) for number in range(7)}
        yield Tortured(cloud, web, sqs, s3, queue_url, redirect_url, "images")


class BadWeb:
    """Answers a share of all requests with a fault that another try may not meet."""

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._rng, self._lock = share, random.Random(seed), threading.Lock()
        self.faults: Counter[str] = Counter()

    def __call__(self, method: str, path: str) -> int | None:
        with self._lock:
            if self._rng.random() >= self._share:
                return None
            fault = self._rng.choice((0, 408, 429, 500, 503))
            self.faults[f"{method} {fault or 'hung up'}"] += 1
            return fault


def test_every_message_is_answered_whatever_is_killed_and_whatever_fails(
    tortured: Tortured, full_torture: bool, results: Results
):
    messages, kills = (1000, 1000) if full_torture else (12, 4)
    rng, counts, web = random.Random(11), Counter[str](), BadWeb(SHARE, seed=13)
    tortured.web.disturb = web
    for number in range(messages):
        tortured.send(number)

    # A message that is killed at often has come often, and would then wait for a quarter of an hour.
    with fault_proxy(tortured.cloud.port, mixed(SHARE, seed=17, counts=counts), hurry=30) as address:
        with tortured.consumer(address) as consumer:
            messages = _kill_while_working(tortured, consumer.pid, kills, rng, messages)
            _wait_until_done(tortured, timeout=1800 if full_torture else 240)

    ids: dict[int, set[str]] = defaultdict(set)
    told = Counter[str]()
    urls: dict[int, set[str]] = defaultdict(set)
    for posted in tortured.web.posted:
        _note(posted.body, posted.headers["webhook-id"], "postback", ids, told, urls)
    for reply_id, body in tortured.redirected():
        _note(body, reply_id, "redirect", ids, told, urls)
    for number in range(messages):
        assert told[f"postback {number}"] >= 1 and told[f"redirect {number}"] >= 1, number
        assert len(ids[number]) == 1 and len(urls[number]) == 3, number
    _check_images(tortured, set().union(*urls.values()))
    results.say(
        messages=messages,
        kills=kills,
        faults_on_aws=sum(counts.values()) - counts["calls"],
        faults_on_http=web.faults.total(),
        postbacks=sum(count for name, count in told.items() if name.startswith("postback")),
        redirections=sum(count for name, count in told.items() if name.startswith("redirect")),
        lost=0,
    )


def _kill_while_working(tortured: Tortured, parent: int, kills: int, rng: random.Random, messages: int) -> int:
    """Kill one worker after another, each at a random moment; where all is done too soon, more is sent.

    Returns how many messages were sent in the end.
    """
    for _ in range(kills):
        if not tortured.left():
            tortured.send(messages)
            messages += 1
        while not _killed(parent, rng):
            pass
    return messages


def _killed(parent: int, rng: random.Random) -> bool:
    time.sleep(rng.uniform(0, 1))
    workers = _children(parent)
    try:
        os.kill(rng.choice(workers), signal.SIGKILL)
    except (IndexError, ProcessLookupError):
        return False
    return True


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _wait_until_done(tortured: Tortured, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while tortured.left():
        if time.monotonic() > deadline:
            pytest.fail(f"{tortured.left()} messages are left after {timeout} s")
        time.sleep(0.2)


def _note(body: Any, reply_id: str, way: str, ids: Any, told: Counter[str], urls: Any) -> None:
    number = body["number"]
    ids[number].add(reply_id)
    told[f"{way} {number}"] += 1
    assert set(body["image_url_info"]) == SIZES
    urls[number] |= {made["url"] for made in body["image_url_info"].values()}


def _check_images(tortured: Tortured, urls: set[str]) -> None:
    """Every image that was named is there; 1,000 messages about seven images name twenty-one."""
    listed = tortured.s3.list_objects_v2(Bucket=tortured.bucket, Prefix="images-resized/")["Contents"]
    keys = {entry["Key"] for entry in listed}
    assert {url.split(f"/{tortured.bucket}/", 1)[1] for url in urls} == keys
