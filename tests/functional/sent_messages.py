"""A queue that keeps what is sent."""

from __future__ import annotations


class Queue:
    """SQS's client, as far as it is called."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, str]:
        self.bodies.append(MessageBody)
        return {"MessageId": "an id"}
