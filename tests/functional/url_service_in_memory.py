"""The image service over S3 and SQS by moto, with a web of a dict and receivers that do as they are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto import mock_aws

from pipeline.budget import PixelBudget
from pipeline.clients import make_client
from pipeline.errors import Code, RejectError
from pipeline.image_service.deliveries import Deliveries
from pipeline.image_service.messages import Images
from pipeline.image_service.redirects import Redirects
from pipeline.image_service.services import UrlServices
from pipeline.images.options import OutputOptions
from pipeline.images.transform import transform
from pipeline.messages import Message
from pipeline.storage import Storage
from pipeline.web.sources import Fetched

BUCKET = "images-ch"
SIZES = tuple(
    (name, OutputOptions(fit=(side, side))) for name, side in (("50x50", 50), ("250X250", 250), ("800x800", 800))
)
IMAGES = Images(BUCKET, "images-resized", SIZES)


@dataclass
class Web:
    """URL → bytes, or the error that comes of it; and what was asked for."""

    pages: dict[str, bytes | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        found = self.pages.get(url, RejectError(Code.FETCH_FAILED, "the server answered 404"))
        if isinstance(found, Exception):
            raise found
        return Fetched(found, "image/jpeg", url)


@dataclass
class Receiver:
    """Takes postbacks; `answers` are raised before, one at each."""

    answers: list[BaseException] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)

    def send(self, url: str, body: Any, message_id: str) -> None:
        if self.answers:
            raise self.answers.pop(0)
        self.told.append((url, json.loads(json.dumps(body)), message_id))


@dataclass
class UrlService:
    s3: Any
    sqs: Any
    web: Web = field(default_factory=Web)
    receiver: Receiver = field(default_factory=Receiver)
    allowed: tuple[str, ...] = ("*",)
    own_queue_url: str = "http://sqs/123456789012/ImageQueue.fifo"

    @property
    def services(self) -> UrlServices:
        return UrlServices(
            fetch=self.web.fetch,
            storage=Storage(self.s3),
            redirects=Redirects(
                self.sqs, self.s3, allowed=self.allowed, own_queue_url=self.own_queue_url, bucket=BUCKET
            ),
            postback=self.receiver.send,
            deliveries=Deliveries(self.s3, BUCKET),
            budget=PixelBudget(64_000_000),
            images_url="https://s3.us-east-2.amazonaws.com/images-ch",
            # In this process, unless a test is about the child: its start takes longer than all the rest.
            isolated=transform,
        )

    def queue(self, name: str) -> str:
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """All that lies in a queue, with its attributes."""
        answer = self.sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def keys(self) -> set[str]:
        return {entry["Key"] for entry in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}

    def object(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def message(body: dict[str, Any], message_id: str = "id", deliveries: int = 1) -> Message:
    return Message(json.dumps(body), message_id, deliveries)


@contextmanager
def url_service(**options: Any) -> Iterator[UrlService]:
    with mock_aws():
        s3, sqs = make_client(None, "s3", region="us-east-1"), make_client(None, "sqs", region="us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        yield UrlService(s3, sqs, **options)
