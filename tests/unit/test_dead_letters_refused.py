"""`status.py --redrive` where SQS does not take what it is sent."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.dead_letters import redrive
from cli.exits import CommandError, Exit
from cli.state import Resources
from pipeline.errors import RetryError
from pipeline.queues import DeadLetter, DeadLetterQueue
from tests.unheard import unheard


class Queues:
    """An SQS that gives out the letters `held` again and again, and refuses with `code` to send on what is "bad"."""

    def __init__(self, *held: str, code: str = "InvalidParameterValue") -> None:
        self.held = list(held)
        self.sent: list[dict[str, Any]] = []
        self._code = code

    def receive_message(self, **_):
        return {"Messages": [{"MessageId": body, "Body": body, "ReceiptHandle": body} for body in self.held[:10]]}

    def send_message(self, **request):
        if request["MessageBody"].startswith("bad"):
            raise ClientError({"Error": {"Code": self._code}}, "SendMessage")
        self.sent.append(request)

    def delete_message(self, *, ReceiptHandle, **_):
        self.held.remove(ReceiptHandle)


def send_all_back(sqs: Queues) -> int:
    urls = {name: f"http://127.0.0.1/{name}" for name in ("dead-letter-queue", "messages-queue")}
    resources = Resources({f"local/it/{name}": url for name, url in urls.items()}, "local/it")
    connection: Any = SimpleNamespace(resources=resources, aws=SimpleNamespace(sqs=sqs))
    return redrive(connection, dry_run=False, as_json=False)


def test_letters_that_are_refused_are_told_and_those_behind_them_go(capsys):
    sqs = Queues("bad 1", "a", "bad 2", "b", "c")

    with pytest.raises(CommandError, match="2 dead letters were refused") as ended:
        send_all_back(sqs)

    assert ended.value.exit_code == Exit.SOME_FAILED
    assert [request["MessageBody"] for request in sqs.sent] == ["a", "b", "c"] and sqs.held == ["bad 1", "bad 2"]
    out, err = capsys.readouterr()
    assert out.split() == ["a", "b", "c"] and "3 dead letters sent back" in err
    assert err.count("refused: bad 1: SendMessage to http://127.0.0.1/messages-queue: InvalidParameterValue") == 1


def test_a_reader_who_has_gone_leaves_no_letter_behind():
    sqs = Queues("a", "b", "c")

    with unheard():
        assert send_all_back(sqs) == 3

    assert sqs.held == []


def test_a_right_that_is_missing_ends_it_at_the_first_letter():
    sqs = Queues("bad", "a", code="AccessDenied")

    with pytest.raises(RetryError, match="AccessDenied"):
        send_all_back(sqs)

    assert sqs.sent == []


@pytest.mark.parametrize(
    ("queue", "named"),
    [
        ("http://127.0.0.1/queue", {"MessageGroupId": "group"}),
        ("http://127.0.0.1/queue.fifo", {"MessageGroupId": "group", "MessageDeduplicationId": "id"}),
    ],
)
def test_a_group_goes_along_and_only_a_fifo_queue_is_told_of_what_is_sent_twice(queue, named):
    sqs: Any = Queues("handle")
    letter = DeadLetter("id", "body", "handle", group_id="group")

    DeadLetterQueue(sqs, "http://127.0.0.1/dead").send_back(letter, queue)

    [request] = sqs.sent
    assert {name: request[name] for name in request if name.startswith("Message") and name.endswith("Id")} == named
