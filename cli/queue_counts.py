"""How many messages a queue holds; SQS itself calls the numbers approximate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def waiting(sqs: SQSClient, url: str) -> int:
    """Messages that can be received now, or whose delay has not ended."""
    counts = _counts(sqs, url)
    return int(counts["ApproximateNumberOfMessages"]) + int(counts.get("ApproximateNumberOfMessagesDelayed", 0))


def in_flight(sqs: SQSClient, url: str) -> int:
    """Messages that are being worked on, or whose retry is due later."""
    return int(_counts(sqs, url)["ApproximateNumberOfMessagesNotVisible"])


def _counts(sqs: SQSClient, url: str) -> dict[str, str]:
    answer: Any = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return dict(answer["Attributes"])
