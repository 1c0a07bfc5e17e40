"""`python status.py --redrive`: every dead letter back to the queue, or only told."""

from __future__ import annotations

from contextlib import suppress

from cli import console
from cli.connection import Connection
from pipeline.errors import RetryError
from pipeline.messages import named_keys
from pipeline.queues import DeadLetter, DeadLetterQueue

_SHOWN = 100
#: Seconds for which letters are hidden that are only told: as long as it takes to read tens of thousands.
_HIDDEN = 300
#: Where so many in turn were told before, all were.
_COME_AGAIN = 100
#: In the state: a queue for dead letters, and the queue that they came from. The second pair is the image service's.
_WAYS = (("dead-letter-queue", "messages-queue"), ("image-dead-letter-queue", "image-queue"))


def redrive(connection: Connection, *, dry_run: bool, as_json: bool) -> int:
    """Send every dead letter back to its queue; returns how many. `dry_run`: tell them, and leave them where they are.

    Doing it twice, at the same time too, and being stopped half-way are harmless: a message may then come twice.
    """
    resources, count = connection.resources, 0
    resources.require("dead-letter-queue", "setup.py")
    for dead, queue in _WAYS:
        if dead in resources:
            letters = DeadLetterQueue(connection.aws.sqs, resources[dead], **({"hidden": _HIDDEN} if dry_run else {}))
            count += _tell(letters, as_json=as_json) if dry_run else _send(letters, resources[queue], as_json=as_json)
    console.say(f"{count} dead letters {'would be ' if dry_run else ''}sent back to the queue")
    return count


def _send(letters: DeadLetterQueue, queue: str, *, as_json: bool) -> int:
    count = 0
    for letter in letters.receive():
        letters.send_back(letter, queue)
        _print(letter, as_json=as_json)
        count += 1
    return count


def _tell(letters: DeadLetterQueue, *, as_json: bool) -> int:
    held: dict[str, DeadLetter] = {}
    known = 0
    try:
        for letter in letters.receive():
            known = known + 1 if letter.message_id in held else 0
            if known == 0:
                _print(letter, as_json=as_json)
            held[letter.message_id] = letter
            if known > _COME_AGAIN:
                break
    finally:
        for letter in held.values():
            # One that is not hidden any more, or not to be reached now, comes back by itself.
            with suppress(RetryError):
                letters.put_back(letter)
    return len(held)


def _print(letter: DeadLetter, *, as_json: bool) -> None:
    keys = named_keys(letter.body)
    if as_json:
        console.json_line({"message_id": letter.message_id, "images": keys, "body": letter.body})
    else:
        console.result(", ".join(keys) or letter.body[:_SHOWN])
