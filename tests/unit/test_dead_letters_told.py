"""`status.py --redrive --dry-run` over a queue that takes longer to read than its letters stay hidden."""

import json
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from cli.dead_letters import redrive
from cli.state import Resources


class LongQueue:
    """An SQS whose letters come again as soon as all were given out, as those of a long queue do."""

    def __init__(self, letters):
        self.letters = letters
        self.shown = []
        self._turn = count()

    def receive_message(self, **_):
        messages = []
        for _place in range(10):
            number = next(self._turn) % self.letters
            messages.append({"MessageId": str(number), "Body": f"body {number}", "ReceiptHandle": str(number)})
        return {"Messages": messages}

    def change_message_visibility(self, *, ReceiptHandle, VisibilityTimeout, **_):
        assert VisibilityTimeout == 0
        self.shown.append(ReceiptHandle)


@pytest.mark.parametrize("letters", [1, 99, 3_000])
def test_each_letter_is_told_once_and_shown_to_others_again(letters, capsys):
    sqs = LongQueue(letters)
    urls = {name: f"http://127.0.0.1/{name}" for name in ("dead-letter-queue", "messages-queue")}
    resources = Resources({f"local/it/{name}": url for name, url in urls.items()}, "local/it")
    connection: Any = SimpleNamespace(resources=resources, aws=SimpleNamespace(sqs=sqs))

    told = redrive(connection, dry_run=True, as_json=True)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == letters
    assert sorted(int(line["message_id"]) for line in lines) == list(range(letters))
    assert len(sqs.shown) == letters
