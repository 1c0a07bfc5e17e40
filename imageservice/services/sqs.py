"""Sends messages to the image service.

from imageservice.services.sqs import SQS

SQS().send_message_to_topic({"image_url": "http://…/img.png", "postback_url": "http://…/postback"})
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from imageservice.connection import queue_url, sqs_client
from pipeline.aws_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: Bytes of the longest message that SQS takes.
MAX_MESSAGE = 1_048_576
#: Of queues that were made before 2025, unless somebody raised it.
_OLDER_LIMIT = 262_144
#: Types of MongoDB and of the standard library that are written as their text, by name: bson need not be installed.
_AS_TEXT = ("ObjectId", "UUID", "Decimal", "Decimal128")


class SQS:
    """Without arguments it takes queue, keys and region from the environment, as the consumer does.

    Raises SettingsError where there is no queue to send to, and otherwise botocore's own errors.
    """

    def __init__(self, client: SQSClient | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._client = client or sqs_client(environ)
        self._environ = environ
        self._default: str | None = None

    def send_message_to_topic(self, message: Mapping[str, Any], queue: str | None = None) -> str:
        """Send `message` to the queue of that URL, or to QUEUE_URL; returns the id that SQS gave it.

        ObjectIds become their hex text, times ISO 8601. ValueError for NaN and for what SQS would not take, TypeError
        for what JSON does not have.
        """
        destination = queue or self._queue()
        request: Any = {"QueueUrl": destination, "MessageBody": _body(message)}
        if destination.endswith(".fifo"):
            # One for each call: boto3 may have to send it again, a person may want to. A group of its own lets every
            # message be worked on beside the others.
            once = str(uuid.uuid4())
            request |= {"MessageGroupId": once, "MessageDeduplicationId": once}
        return self._sent(request)

    def _sent(self, request: Any) -> str:
        try:
            return self._client.send_message(**request)["MessageId"]
        except ClientError as error:
            size = len(request["MessageBody"])
            if size <= _OLDER_LIMIT or code_of(error) != "InvalidParameterValue":
                raise
            raise ValueError(f"the message has {size:,} bytes, more than this queue takes") from error

    def _queue(self) -> str:
        if self._default is None:
            self._default = queue_url(self._environ, self._client)
        return self._default


def _body(message: Mapping[str, Any]) -> str:
    # In ASCII: as many bytes as characters.
    body = json.dumps(message, default=_plain, allow_nan=False)
    if len(body) > MAX_MESSAGE:
        raise ValueError(f"the message has {len(body):,} bytes, more than the {MAX_MESSAGE:,} that SQS takes")
    return body


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if type(value).__name__ in _AS_TEXT:
        return str(value)
    raise TypeError(f"a message cannot hold {value!r}, a {type(value).__name__}: give a text or a number instead")
