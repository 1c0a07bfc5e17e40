"""`python status.py --redrive`: every dead letter back to the queue, or only told."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import suppress

from botocore.exceptions import ClientError

from cli import console
from cli.aws_words import EXPIRED, FORBIDDEN, UNKNOWN
from cli.connection import Connection
from cli.exits import CommandError, Exit
from pipeline.aws_errors import code_of
from pipeline.errors import RetryError
from pipeline.messages import named_keys
from pipeline.queues import DeadLetter, DeadLetterQueue

_SHOWN = 100
#: Seconds for which letters are hidden that are only told: as long as it takes to read tens of thousands.
_HIDDEN = 300
#: Where so many in turn came before, all did.
_COME_AGAIN = 100
#: In the state: a queue for dead letters, and the queue that they came from. The second pair is the image service's.
_WAYS = (("dead-letter-queue", "messages-queue"), ("image-dead-letter-queue", "image-queue"))


def redrive(connection: Connection, *, dry_run: bool, as_json: bool) -> int:
    """Send every dead letter back to its queue; returns how many. `dry_run`: tell them, and leave them where they are.

    Doing it twice, at the same time too, and being stopped half-way are harmless: a message may then come twice.
    Raises CommandError where some stay, after all others have gone.
    """
    resources, count = connection.resources, 0
    refused: set[str] = set()
    resources.require("dead-letter-queue", "setup.py")
    for dead, queue in _WAYS:
        if dead in resources:
            letters = DeadLetterQueue(connection.aws.sqs, resources[dead], **({"hidden": _HIDDEN} if dry_run else {}))
            if dry_run:
                count += _tell(letters, as_json=as_json)
            else:
                count += _send(letters, resources[queue], refused, as_json=as_json)
    console.say(f"{count} dead letters {'would be ' if dry_run else ''}sent back to the queue")
    if refused:
        raise CommandError(f"{len(refused)} dead letters were refused, and stay where they are", Exit.SOME_FAILED)
    return count


def _send(letters: DeadLetterQueue, queue: str, refused: set[str], *, as_json: bool) -> int:
    """Returns how many went; the ids of those that were not taken are added to `refused`."""
    count = 0
    for letter in _until_all_came(letters, refused):
        if letter.message_id in refused:
            continue
        try:
            letters.send_back(letter, queue)
        except RetryError as error:
            if not _is_of_this_one(error):
                raise
            refused.add(letter.message_id)
            console.say(f"refused: {_named(letter)}: {error.reason}")
        else:
            with console.heard_or_not():
                _print(letter, as_json=as_json)
            count += 1
    return count


def _tell(letters: DeadLetterQueue, *, as_json: bool) -> int:
    held: dict[str, DeadLetter] = {}
    try:
        for letter in _until_all_came(letters, held):
            if letter.message_id not in held:
                _print(letter, as_json=as_json)
            held[letter.message_id] = letter
    finally:
        for letter in held.values():
            # One that is not hidden any more, or not to be reached now, comes back by itself.
            with suppress(RetryError):
                letters.put_back(letter)
    return len(held)


def _until_all_came(letters: DeadLetterQueue, known: Container[str]) -> Iterator[DeadLetter]:
    """The letters as they are received, until none is left or so many in turn are `known` that all must have come."""
    again = 0
    for letter in letters.receive():
        again = again + 1 if letter.message_id in known else 0
        yield letter
        if again > _COME_AGAIN:
            return


def _is_of_this_one(error: RetryError) -> bool:
    """Whether SQS refused this letter: without a connection or a right, all others would meet the same."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and code_of(cause) not in EXPIRED | UNKNOWN | FORBIDDEN


def _print(letter: DeadLetter, *, as_json: bool) -> None:
    if as_json:
        console.json_line({"message_id": letter.message_id, "images": named_keys(letter.body), "body": letter.body})
    else:
        console.result(_named(letter))


def _named(letter: DeadLetter) -> str:
    return ", ".join(named_keys(letter.body)) or letter.body[:_SHOWN]
