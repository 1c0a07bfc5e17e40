"""A worker: one message after another from a queue, until it is asked to stop."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.errors import RetryError
from pipeline.messages import Message
from pipeline.queues import Queue, Received, retry_delay

logger = logging.getLogger(__name__)

#: Seconds for which SQS looks for a message. A worker without work notices only then that it shall stop: SQS would give
#: a message to a call that was broken off, and nobody else would see it for a while.
WAIT = 5
_LONGEST_BACK_OFF = 60.0
_SLICE = 0.2


class Stop:
    """A wish to stop. Signal handlers may set it at any point, so it is a plain value and no lock."""

    def __init__(self) -> None:
        self.wished = False

    def wish(self, *_: object) -> None:
        self.wished = True

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or soon after the wish."""
        ends = time.monotonic() + seconds
        while not self.wished and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))


def back_off(failures: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: 1, 2, 4 …, up to half more, at most a minute."""
    return min(_LONGEST_BACK_OFF, 2.0 ** min(failures - 1, 10) * (1 + jitter() / 2))


@dataclass
class Worker:
    """`work` does one message; what it raises sends the message back. `asked` is told of each call for a message.

    A message is hidden from others for `visibility` seconds, again and again while it is worked on: it is with others
    soon after this worker dies, however long its work may take.
    """

    queue: Queue
    work: Callable[[Message], None]
    stop: Stop
    visibility: int = 60
    wait: int = WAIT
    asked: Callable[[], None] = lambda: None

    def run(self, go_on: Callable[[], bool] = lambda: True) -> None:
        """Work until a stop is wished, or `go_on` says no; the message in hand is finished first."""
        failures = 0
        while not self.stop.wished and go_on():
            failures = 0 if self.step() else failures + 1
            if failures:
                self.stop.wait(back_off(failures))

    def step(self) -> bool:
        """Ask once for a message and do it, if there is one; False where the queue could not be asked."""
        try:
            received = self.queue.receive(visibility=self.visibility, wait=self.wait)
        except RetryError as error:
            logger.warning("no message could be received", extra={"facts": {"reason": error.reason}})
            return False
        self.asked()
        if received:
            self.finish(received)
        return True

    def finish(self, received: Received) -> None:
        # The delay is set when the heart beats no more: a late beat would hide the message for longer.
        with self._heartbeat(received):
            delay = self._work(received.message)
        try:
            if delay is None:
                self.queue.delete(received.receipt_handle)
            else:
                self.queue.put_off(received.receipt_handle, delay)
        except RetryError as error:
            # It comes back by itself, and is answered under the same id.
            logger.warning("the message comes again", extra={"facts": {"reason": error.reason}})

    def _work(self, message: Message) -> int | None:
        """None once the message is done, else the seconds until it is tried again."""
        try:
            self.work(message)
        except RetryError as retry:
            return retry_delay(message.deliveries, retry.after)
        except Exception:
            logger.exception("a bug: this message will come back", extra={"facts": {"message_id": message.message_id}})
            return retry_delay(message.deliveries, None)
        return None

    @contextmanager
    def _heartbeat(self, received: Received) -> Iterator[None]:
        done = threading.Event()
        beating = threading.Thread(target=self._beat, args=(received.receipt_handle, done), daemon=True)
        beating.start()
        try:
            yield
        finally:
            done.set()
            beating.join()

    def _beat(self, receipt_handle: str, done: threading.Event) -> None:
        while not done.wait(self.visibility / 3):
            try:
                self.queue.put_off(receipt_handle, self.visibility)
            except RetryError as error:
                logger.warning("the message may come twice", extra={"facts": {"reason": error.reason}})
