"""Messages in SQS: send jobs, put off the ones that failed, and bring dead letters back."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.aws_errors import LONGEST_WAIT, retried
from pipeline.errors import RetryError
from pipeline.messages import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: The message attribute that a dead letter carries when it is sent again: SQS counts its deliveries from one, but it
#: has had workers before, some of which it may have killed. Its value is the id that the message had at first.
REDRIVEN = "Redriven"

_FIRST_DELAY = 5
_MOST_DOUBLINGS = 10
_MOST_ATTRIBUTES = 10
_SENDING_ATTEMPTS = 3


@dataclass(frozen=True)
class DeadLetter:
    """A message that was received too often. `group_id`: in FIFO queues always, in others where its sender gave one."""

    message_id: str
    body: str
    receipt_handle: str = field(repr=False)
    group_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """A message that is hidden from others for a while: until it is deleted, put off, or the time is over."""

    message: Message
    receipt_handle: str = field(repr=False)


class Queue:
    """One queue. Every method raises RetryError for whatever SQS may answer better later."""

    def __init__(self, sqs: SQSClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send_many(self, bodies: Sequence[Mapping[str, object]]) -> None:
        """Send up to ten messages in one call; what SQS does not take of them is sent again, a few times."""
        left = {str(number): json.dumps(body) for number, body in enumerate(bodies)}
        for _ in range(_SENDING_ATTEMPTS):
            with retried(f"SendMessageBatch to {self._queue_url}"):
                answer = self._sqs.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[{"Id": number, "MessageBody": body} for number, body in left.items()],
                )
            for sent in answer.get("Successful", []):
                left.pop(sent["Id"], None)
            if not left:
                return
        refused = [f"{entry.get('Code')}: {entry.get('Message')}" for entry in answer.get("Failed", [])]
        raise RetryError(f"SendMessageBatch to {self._queue_url}: {len(left)} not taken: {', '.join(refused)[:200]}")

    def receive(self, *, visibility: int, wait: int) -> Received | None:
        """The next message, hidden for `visibility` seconds; None where none has come within `wait` seconds."""
        with retried(f"ReceiveMessage from {self._queue_url}"):
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=1,
                VisibilityTimeout=visibility,
                WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
                MessageAttributeNames=[REDRIVEN],
            )
        return next((_received(message) for message in answer.get("Messages", [])), None)

    def delete(self, receipt_handle: str) -> None:
        """Done: it does not come back."""
        with retried(f"DeleteMessage in {self._queue_url}"):
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=receipt_handle)

    def put_off(self, receipt_handle: str, delay: int) -> None:
        """Let a received message come back after `delay` seconds instead of the queue's visibility timeout."""
        with retried(f"ChangeMessageVisibility in {self._queue_url}"):
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=delay
            )


class DeadLetterQueue:
    """Where messages go that were received too often. Every method raises RetryError as `Queue` does.

    `wait`: seconds that SQS may look for a letter. Told to answer at once, it may say "none" although there is one.
    `hidden`: seconds for which a letter that was received is hidden from others: long enough to send ten of them on,
    short enough after a kill.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, *, wait: int = 2, hidden: int = 20) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._wait = wait
        self._hidden = hidden

    def receive(self) -> Iterator[DeadLetter]:
        """All dead letters, each hidden from others for some seconds, until none is left to be seen."""
        while letters := self._receive_some():
            yield from letters

    def send_back(self, letter: DeadLetter, queue_url: str) -> None:
        """Send it to the queue again, marked as redriven; then, and only then, delete it here.

        Who is stopped between the two leaves it in both queues, where it does no harm: a job may come twice.
        """
        request: dict[str, Any] = {"QueueUrl": queue_url, "MessageBody": letter.body}
        if letter.group_id is not None:
            request["MessageGroupId"] = letter.group_id
        if queue_url.endswith(".fifo"):
            # SQS drops a second copy of the same letter by itself, for five minutes.
            request["MessageDeduplicationId"] = letter.message_id
        with retried(f"SendMessage to {queue_url}"):
            self._sqs.send_message(**request, MessageAttributes=_marked(letter))
        with retried(f"DeleteMessage in {self._queue_url}"):
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=letter.receipt_handle)

    def put_back(self, letter: DeadLetter) -> None:
        """Let others see it again at once."""
        with retried(f"ChangeMessageVisibility in {self._queue_url}"):
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=letter.receipt_handle, VisibilityTimeout=0
            )

    def _receive_some(self) -> list[DeadLetter]:
        with retried(f"ReceiveMessage from {self._queue_url}"):
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=self._hidden,
                WaitTimeSeconds=self._wait,
                MessageSystemAttributeNames=["MessageGroupId"],
                MessageAttributeNames=["All"],
            )
        return [
            DeadLetter(
                message["MessageId"],
                message["Body"],
                message["ReceiptHandle"],
                message.get("Attributes", {}).get("MessageGroupId"),
                message.get("MessageAttributes", {}),
            )
            for message in answer.get("Messages", [])
        ]


def first_id(message_id: str, mark: str | None) -> str:
    """The id under which a message came first; `mark`: the value of its attribute REDRIVEN, if it has one."""
    return mark if mark and mark != "true" else message_id


def _received(message: Mapping[str, Any]) -> Received:
    mark = message.get("MessageAttributes", {}).get(REDRIVEN, {}).get("StringValue")
    deliveries = int(message["Attributes"]["ApproximateReceiveCount"]) + (mark is not None)
    known = Message(message["Body"], first_id(message["MessageId"], mark), deliveries)
    return Received(known, message["ReceiptHandle"])


def _marked(letter: DeadLetter) -> dict[str, Any]:
    """The attributes as they may be sent, the mark among them; SQS takes ten, and ours is the one that counts."""
    fields, attributes = ("DataType", "StringValue", "BinaryValue"), letter.attributes
    kept = [name for name in attributes if name != REDRIVEN][: _MOST_ATTRIBUTES - 1]
    sendable = {name: {key: attributes[name][key] for key in fields if key in attributes[name]} for name in kept}
    first = first_id(letter.message_id, attributes.get(REDRIVEN, {}).get("StringValue"))
    return {**sendable, REDRIVEN: {"DataType": "String", "StringValue": first}}


def retry_delay(deliveries: int, after: float | None, jitter: Callable[[], float] = random.random) -> int:
    """Seconds until a message is tried again: 5 s doubled per delivery, up to half more, or longer where `after` asks.

    Who asks for less does not get it: five tries in one second are no five tries.
    """
    own = _FIRST_DELAY * 2.0 ** min(deliveries, _MOST_DOUBLINGS) * (1 + jitter() / 2)
    return round(min(LONGEST_WAIT, max(own, after or 0.0)))
