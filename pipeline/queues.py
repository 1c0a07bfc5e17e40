"""Messages in SQS: send jobs, and put off the ones that failed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.aws_errors import retried

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_LONGEST_DELAY = 900
_FIRST_DELAY = 5


class Queue:
    """One queue. Every method raises RetryError for whatever SQS may answer better later."""

    def __init__(self, sqs: SQSClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send_image(self, bucket: str, key: str, *, force: bool = False) -> None:
        """Ask for one object to be processed; `force` does it again although it is done."""
        body: dict[str, str | bool] = {"bucket_name": bucket, "image_key": key}
        if force:
            body["force"] = True
        with retried(f"SendMessage to {self._queue_url}"):
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(body))

    def put_off(self, receipt_handle: str, delay: int) -> None:
        """Let a received message come back after `delay` seconds instead of the queue's visibility timeout."""
        with retried(f"ChangeMessageVisibility in {self._queue_url}"):
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=delay
            )


def retry_delay(deliveries: int, after: float | None, jitter: Callable[[], float] = random.random) -> int:
    """Seconds until a message is tried again: what was asked for, else 5 s doubled per delivery, up to half more."""
    base = after if after is not None else _FIRST_DELAY * 2.0**deliveries * (1 + jitter() / 2)
    return min(_LONGEST_DELAY, max(0, round(base)))
