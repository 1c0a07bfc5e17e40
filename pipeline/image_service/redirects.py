"""Results on to other queues of the same account, by name."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws_errors import code_of, retried
from pipeline.image_service.job import REDIRECTED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

#: The message attribute by which a receiver tells that it has seen a message before; also the de-duplication id in a
#: FIFO queue, which forgets after five minutes.
REPLY_ID = "ReplyId"
#: A body that is larger goes to S3, and a pointer in its place. Queues made before 2025 take no more.
MAX_BYTES = 256 * 1024 - 1024
#: Pointer and attribute as AWS's extended client libraries for SQS write and read them.
POINTER = "software.amazon.payloadoffloading.PayloadS3Pointer"
POINTER_SIZE = "ExtendedPayloadSize"
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Redirected(StrEnum):
    """What became of a redirection; none but the first reaches a queue, and none is worth another try."""

    SENT = "sent"
    NO_SUCH_QUEUE = "no such queue"
    NOT_ALLOWED = "not among REDIRECT_QUEUES"
    OWN_QUEUE = "the queue it came from"


class Redirects:
    """Sends to queues whose names match one of the patterns in `allowed`; raises RetryError as the other edges do.

    `own_queue_url`: where messages come from, and never go. `bucket`: takes bodies that are too large.
    `refresh_after`: after how many calls of `received` the queues that are known are looked up anew.
    """

    def __init__(
        self,
        sqs: SQSClient,
        s3: S3Client,
        *,
        allowed: Sequence[str],
        own_queue_url: str,
        bucket: str,
        refresh_after: int = 100_000,
    ) -> None:
        self._sqs = sqs
        self._s3 = s3
        self._allowed = tuple(allowed)
        self._own_name = _name_in(own_queue_url)
        self._bucket = bucket
        self._refresh_after = refresh_after
        self._received = 0
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def received(self) -> None:
        """Messages were asked for once more."""
        with self._lock:
            self._received += 1
            if self._received % self._refresh_after == 0:
                self._known.clear()

    def send(self, queue: str, body: Mapping[str, Any], reply_id: str) -> Redirected:
        """Send `body` to the queue of that name, under an id that is the same at every try."""
        if queue == self._own_name:
            return Redirected.OWN_QUEUE
        if not any(fnmatchcase(queue, pattern) for pattern in self._allowed):
            return Redirected.NOT_ALLOWED
        url = self._find(queue)
        if url is None or not self._sent(url, queue, body, reply_id):
            return Redirected.NO_SUCH_QUEUE
        return Redirected.SENT

    def _find(self, queue: str) -> str | None:
        # One that is not known is looked for each time: it may have been made just now.
        with self._lock:
            known = self._known.get(queue)
        return known or self._look_up(queue)

    def _look_up(self, queue: str) -> str | None:
        pages = self._sqs.get_paginator("list_queues").paginate(
            QueueNamePrefix=queue, PaginationConfig={"PageSize": 1000}
        )
        with retried(f"ListQueues {queue}"):
            urls = [url for page in pages for url in page.get("QueueUrls", [])]
        found = {_name_in(url): url for url in urls}
        with self._lock:
            self._known |= found
        return found.get(queue)

    def _sent(self, url: str, queue: str, body: Mapping[str, Any], reply_id: str) -> bool:
        """False where the queue is gone."""
        request: Any = {"QueueUrl": url, **self._content(body, reply_id)}
        if queue.endswith(".fifo"):
            # A group for each message: order was never promised, and none has to wait for another.
            request |= {"MessageGroupId": reply_id, "MessageDeduplicationId": reply_id}
        with retried(f"SendMessage to {queue}"):
            try:
                self._sqs.send_message(**request)
            except ClientError as error:
                if code_of(error) not in _NO_QUEUE:
                    raise
                with self._lock:
                    self._known.pop(queue, None)
                return False
        return True

    def _content(self, body: Mapping[str, Any], reply_id: str) -> dict[str, Any]:
        attributes = {REPLY_ID: {"DataType": "String", "StringValue": reply_id}}
        text = json.dumps(body)
        if len(text) <= MAX_BYTES:
            return {"MessageBody": text, "MessageAttributes": attributes}
        key = f"{REDIRECTED}/{reply_id}.json"
        with retried(f"PutObject s3://{self._bucket}/{key}"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=text.encode(), ContentType="application/json")
        pointer = json.dumps([POINTER, {"s3BucketName": self._bucket, "s3Key": key}])
        size = {"DataType": "Number", "StringValue": str(len(text))}
        return {"MessageBody": pointer, "MessageAttributes": {**attributes, POINTER_SIZE: size}}


def _name_in(queue_url: str) -> str:
    return queue_url.rstrip("/").rpartition("/")[2]
