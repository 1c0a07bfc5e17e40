"""URL messages through the image service: a consumer that runs all the time, and receivers of what it tells."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.images import jpeg, photo
from tests.local_cloud_fixture import ROOT
from tests.torture.soak.place import SHARE, Place, insist

MODULE = "imageservice.ports.workers.image_resizing_consumer"
WORKERS = 2
_PAGES = 7


#: Seconds by which times of files and of messages may differ.
_SLACK = 1.0


@dataclass(frozen=True)
class Kill:
    """When the local cloud was killed, and when the state that came back was saved, in seconds since 1970."""

    at: float
    saved: float


@dataclass
class UrlMessages:
    """`kills`: a message that was sent after the last saving before one may be lost, also one that a worker sent on."""

    place: Place
    rng: random.Random
    visibility: int
    kills: list[Kill] = field(default_factory=list)
    name: str = "image service"
    #: When the request began by which it was sent, the last if there were several, and when that was answered.
    asked: dict[int, float] = field(default_factory=dict)
    sent: dict[int, float] = field(default_factory=dict)
    posted: dict[int, float] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    ids: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    lost: int = 0

    def __post_init__(self) -> None:
        self.sqs, self.s3 = self.place.cloud.client("sqs"), self.place.cloud.client("s3")
        # boto3 repeats requests by itself.
        self.sqs.meta.events.register("before-send.sqs.SendMessage", self._note_request)
        self.s3.create_bucket(Bucket="images")
        attributes = {"FifoQueue": "true"}
        self.queue_url = self.sqs.create_queue(QueueName="ImageQueue.fifo", Attributes=attributes)["QueueUrl"]
        self.redirect_url = self.sqs.create_queue(QueueName="Next")["QueueUrl"]
        self.place.web.pages |= {f"/{n}.jpg": jpeg(photo((300 + n, 200)), quality=85) for n in range(_PAGES)}
        self.place.web.disturb = self._disturb
        self._web_rng = random.Random(self.rng.random())
        self.temporary = self.place.folder / "consumer"
        self.temporary.mkdir()
        self._log = (self.place.folder / "consumer.log").open("w")
        self.consumer = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        told = {
            "QUEUE_URL": self.queue_url,
            "IMAGES_BUCKET": "images",
            "AWS_ENDPOINT_URL": self.place.proxy,
            "VISIBILITY_TIMEOUT": str(self.visibility),
            "LEVEL": "WARNING",
            "TMPDIR": str(self.temporary),
        }
        environ = {**self.place.cloud.environ, **self.place.web.environ, **told}
        command = [sys.executable, "-m", MODULE, "-w", str(WORKERS)]
        return subprocess.Popen(command, cwd=ROOT, env=environ, stderr=self._log)

    def _disturb(self, method: str, path: str) -> int | None:
        return self._web_rng.choice((0, 408, 429, 500, 503)) if self._web_rng.random() < SHARE else None

    def turn(self) -> None:
        if self.consumer.poll() is not None:
            raise AssertionError(f"the consumer ended by itself with {self.consumer.returncode}")
        # Few wait at a time: the queue shall be as deep at the end as in the beginning.
        if self._left() < 20:
            self._send(len(self.sent))
        self._collect()
        self.place.ending.wait(self.rng.uniform(0, 1))

    def _send(self, number: int) -> None:
        body = {
            "number": number,
            "image_url": f"{self.place.web.address}/{number % _PAGES}.jpg",
            "redirect_queue": self.redirect_url.rpartition("/")[2],
            "postback_url": f"{self.place.web.address}/postback",
        }
        own = uuid4().hex
        insist(
            lambda: self.sqs.send_message(
                QueueUrl=self.queue_url, MessageBody=json.dumps(body), MessageGroupId=own, MessageDeduplicationId=own
            )
        )
        self.asked[number], self.sent[number] = self._asked, time.time()

    def _note_request(self, **_: Any) -> None:
        self._asked = time.time()

    def _left(self) -> int:
        return insist(lambda: depth(self.sqs, self.queue_url))

    def _collect(self) -> None:
        """Take what came; a message that could not be deleted comes again, which receivers have to bear."""
        posted, self.place.web.posted[:] = list(self.place.web.posted), []
        self.place.web.fetched.clear()
        for one in posted:
            self._note("postback", one.body, one.headers["webhook-id"])
            self.posted.setdefault(one.body["number"], one.at)
        found = insist(
            lambda: self.sqs.receive_message(
                QueueUrl=self.redirect_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=30
            )
        ).get("Messages", [])
        for message in found:
            self._note("redirect", json.loads(message["Body"]), message["MessageAttributes"]["ReplyId"]["StringValue"])
            handle = message["ReceiptHandle"]
            try:
                self.sqs.delete_message(QueueUrl=self.redirect_url, ReceiptHandle=handle)
            except self.sqs.exceptions.ClientError:
                self.told["redirect not deleted"] += 1

    def _note(self, way: str, body: Any, reply_id: str) -> None:
        self.told[way] += 1
        self.told[f"{way} {body['number']}"] += 1
        self.ids[body["number"]].add(reply_id)
        assert len(body["image_url_info"]) == 3, body

    def finish(self) -> list[str]:
        deadline = time.monotonic() + 400
        while (self._left() or depth(self.sqs, self.redirect_url)) and time.monotonic() < deadline:
            self._collect()
            time.sleep(0.1)
        self._collect()
        self.consumer.terminate()
        code = self.consumer.wait(120)
        wrongs = [f"the consumer ended with {code}"] if code else []
        wrongs += [f"{self._left()} messages are left"] if self._left() else []
        return wrongs + [wrong for number in self.sent for wrong in self._wrongs(number)]

    def _wrongs(self, number: int) -> list[str]:
        ways = [way for way in ("postback", "redirect") if not self.told[f"{way} {number}"]]
        # A worker sends on before it posts, and does neither again once it has kept that it did.
        last = self.posted.get(number, self.sent[number]) if ways == ["redirect"] else self.sent[number]
        if ways and any(self.asked[number] <= kill.at and kill.saved - _SLACK <= last for kill in self.kills):
            self.lost += 1
            return []
        wrongs = [f"message {number} was never answered by {way}" for way in ways]
        return wrongs + ([f"message {number} has {len(self.ids[number])} ids"] if len(self.ids[number]) > 1 else [])

    def close(self) -> None:
        """However the soak ends, the consumer ends with it."""
        if self.consumer.poll() is None:
            self.consumer.terminate()
            self.consumer.wait(120)
        self._log.close()

    def workers(self) -> list[int]:
        """The processes that may be killed."""
        pid = self.consumer.pid
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as children:
                return [int(child) for child in children.read().split()]
        except OSError:
            return []

    def kill_worker(self) -> bool:
        workers = self.workers()
        try:
            os.kill(self.rng.choice(workers), 9)
        except (IndexError, ProcessLookupError):
            return False
        return True

    def figures(self) -> dict[str, Any]:
        ways = {way: self.told[way] for way in ("postback", "redirect")}
        return {"messages": len(self.sent), **ways, "lost since the last saving": self.lost}


def depth(sqs: Any, queue_url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(count) for count in counts.values())
