"""Sending to a queue that others use too: never more than a bounded number of messages wait in it because of us."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.queues import Queue

#: SendMessageBatch takes so many.
BATCH = 10
PAUSE = 1.0
#: Seconds for which the count of SQS, which it calls approximate, may not yet hold what was sent.
LAG = 10.0
#: Seconds without room after which a person should know that nobody takes messages out.
SILENCE = 60.0


@dataclass
class PacedSender:
    """Sends while fewer than `depth` messages wait; `waiting` asks the queue how many do."""

    queue: Queue
    waiting: Callable[[], int]
    depth: int
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _room: int = field(default=0, init=False)
    _recent: deque[tuple[float, int]] = field(default_factory=deque, init=False)

    @property
    def batch(self) -> int:
        """How many messages go into one call."""
        return min(BATCH, self.depth)

    def send(self, bodies: Sequence[Mapping[str, object]]) -> None:
        """Send at most `batch` messages as soon as there is room for them."""
        if self._room < len(bodies):
            self._wait_for_room(len(bodies))
        self.queue.send_many(bodies)
        self._room -= len(bodies)
        self._recent.append((self.clock(), len(bodies)))

    def _wait_for_room(self, needed: int) -> None:
        fewest = waiting = self._look()
        since = self.clock()
        while self._room < needed:
            self.sleep(PAUSE)
            waiting = self._look()
            if waiting < fewest:
                fewest, since = waiting, self.clock()
            elif self.clock() - since > SILENCE:
                self.say(f"{waiting} messages wait and nothing takes them out: is the queue's function switched on?")
                since = self.clock()

    def _look(self) -> int:
        """Ask the queue; what was sent a moment ago counts as waiting besides, whether it was counted or not."""
        waiting = self.waiting()
        while self._recent and self.clock() - self._recent[0][0] > LAG:
            self._recent.popleft()
        self._room = self.depth - waiting - sum(count for _, count in self._recent)
        return waiting
