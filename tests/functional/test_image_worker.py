"""One worker, step by step, with a queue of a list."""

from typing import Any

import pytest

from imageservice.ports.workers.worker import Stop, Worker, back_off
from pipeline.errors import RetryError
from pipeline.messages import Message
from pipeline.queues import Received


class ListQueue:
    """Gives what it was given, in order, and notes what becomes of it; an error among it is raised."""

    def __init__(self, *given):
        self.given, self.fates = list(given), []

    def receive(self, *, visibility, wait):
        one = self.given.pop(0) if self.given else None
        if isinstance(one, Exception):
            raise one
        return one

    def delete(self, receipt_handle):
        self.fates.append(("deleted", receipt_handle))

    def put_off(self, receipt_handle, delay):
        self.fates.append(("put off", receipt_handle, delay))


def received(name, deliveries=1):
    return Received(Message("{}", name, deliveries), name)


def worker(queue: Any, work: Any = lambda message: None, **options: Any) -> Worker:
    return Worker(queue, work, Stop(), **options)


def test_a_message_that_is_done_is_deleted():
    queue = ListQueue(received("a"))

    assert worker(queue).step() is True
    assert queue.fates == [("deleted", "a")]


def test_a_message_that_has_to_come_back_comes_when_it_is_worth_a_try():
    def work(message):
        raise RetryError("busy", after=77)

    queue = ListQueue(received("a"))
    worker(queue, work).step()

    assert queue.fates == [("put off", "a", 77)]


def test_a_bug_sends_the_message_back_and_does_not_end_the_worker():
    def work(message):
        raise KeyError("a bug")

    queue = ListQueue(received("a", deliveries=2))

    assert worker(queue, work).step() is True
    [(fate, _, delay)] = queue.fates
    assert fate == "put off" and 20 <= delay <= 30


def test_while_it_works_the_message_stays_hidden():
    queue = ListQueue(received("a"))
    seen = []

    def work(message):
        while len(queue.fates) < 2:
            pass
        seen.extend(queue.fates[:2])

    worker(queue, work, visibility=0.03).step()

    assert seen == [("put off", "a", 0.03)] * 2 and queue.fates[-1] == ("deleted", "a")


def test_a_queue_that_cannot_be_asked_is_left_alone_for_longer_and_longer():
    class ThirdTimeStop(Stop):
        def wait(self, seconds):
            waits.append(seconds)
            self.wished = len(waits) == 3

    waits: list[float] = []
    lonely = worker(ListQueue(*[RetryError("no network")] * 3))
    lonely.stop = ThirdTimeStop()

    lonely.run()

    assert [1 <= waits[0] <= 1.5, 2 <= waits[1] <= 3, 4 <= waits[2] <= 6] == [True] * 3
    assert back_off(50, jitter=lambda: 1) == 60


def test_it_counts_how_often_it_asked_and_stops_when_it_is_told_to():
    asked: list[int] = []
    queue = ListQueue(received("a"), None, received("b"))
    counting = worker(queue)

    def ask() -> None:
        asked.append(1)
        counting.stop.wished = len(asked) == 3

    counting.asked = ask
    counting.run()

    assert len(asked) == 3 and queue.fates == [("deleted", "a"), ("deleted", "b")]


def test_a_message_that_cannot_be_deleted_does_not_end_the_worker():
    class Refusing(ListQueue):
        def delete(self, receipt_handle):
            raise RetryError("no network")

    assert worker(Refusing(received("a"))).step() is True


@pytest.mark.parametrize("going_on", [True, False])
def test_it_goes_on_while_it_may(going_on):
    queue = ListQueue(received("a"))
    told = worker(queue)
    told.asked = told.stop.wish

    told.run(lambda: going_on)

    assert bool(queue.fates) is going_on
