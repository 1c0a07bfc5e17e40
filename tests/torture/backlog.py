"""A million messages that wait: what users did while nobody worked, worked off in a model of SQS with simulated time.

Everything between a message and its end is the product's; S3, DynamoDB, SQS and time are in memory, and the pictures
are only named: what they become is told by their first byte. A delivery has its effects at once and takes its time
afterwards, so deliveries overlap as wholes; how they interleave inside is tried in `interleaved.py`.
"""

from __future__ import annotations

import heapq
import json
import random
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from pipeline.consume import consume
from pipeline.errors import Code, RejectError, RetryError
from pipeline.images.transform import Transformed, transform
from pipeline.messages import Message, Uploads
from pipeline.queues import retry_delay
from pipeline.services import Services
from pipeline.storage import Storage
from pipeline.table.records import Records
from tests.functional.pipeline_in_memory import WANTED, Pipeline
from tests.memory_cloud import MemoryRecords, MemoryStorage
from tests.torture.interleaved import GOOD, MAX_RECEIVES, VISIBILITY, Death

BAD = b"no picture"
WORKERS = 100
#: Seconds that a delivery takes, at least and at most.
TAKES = (0.1, 3.0)
#: Of all deliveries: so many meet a fault at one of their calls, and so many workers die there.
FAULTS, DEATHS = 0.10, 0.01
#: Of all events: so many come twice.
TWICE = 0.02
_MADE = {data: transform(data) for data in GOOD}


def made(data: bytes, options: Any, **context: Any) -> Transformed:
    """What the core makes of one of three contents, remembered: a million transforms would take an hour."""
    if data not in _MADE:
        raise RejectError(Code.INVALID_EXTENSION, "no picture")
    return _MADE[data]


class Shelves(MemoryStorage):
    """Storage with many keys, which finds the outputs of one of them without looking at all."""

    def __init__(self) -> None:
        super().__init__()
        self._shelf: dict[str, set[str]] = defaultdict(set)

    def put(self, bucket: str, key: str, data: bytes, *, is_output: bool = False) -> None:
        super().put(bucket, key, data, is_output=is_output)
        if bucket == "outputs":
            self._shelf[key.rpartition("/")[0]].add(key)

    def remove(self, bucket: str, key: str) -> None:
        super().remove(bucket, key)
        if bucket == "outputs":
            self._shelf[key.rpartition("/")[0]].discard(key)

    def list_folder(self, bucket: str, prefix: str) -> Iterator[tuple[str, datetime]]:
        for key in sorted(self._shelf.get(prefix.removesuffix("/"), ())):
            yield key, self.objects[bucket, key].changed


class Uncertain:
    """An edge at one of whose next calls the worker dies, or a fault comes; which, says the world."""

    def __init__(self, edge: Any, mishap: Callable[[], str | None]) -> None:
        self._edge, self._mishap = edge, mishap

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._edge, name)

        def call(*arguments: Any, **options: Any) -> Any:
            mishap = self._mishap()
            if mishap == "refused":
                raise RetryError("SlowDown")
            if mishap == "died before":
                raise Death
            result = method(*arguments, **options)
            if mishap == "answer lost":
                raise RetryError("connection reset")
            if mishap == "died after":
                raise Death
            return result

        # What never meets a mishap a second time need not be made again.
        setattr(self, name, call)
        return call


@dataclass
class Backlog:
    """`messages` about changes to `keys` objects. A message is the number of its key: a million are four megabytes.

    `busy`: when each worker is free again. `hidden`: messages to be seen again, as (when, order, key, deliveries,
    redriven).
    """

    seed: int
    messages: int
    keys: int
    ends: Counter[str] = field(default_factory=Counter)
    hidden: list[tuple[float, int, int, int, bool]] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.storage, self.records = Shelves(), MemoryRecords()
        self.clock = self.storage.clock
        self.begin, self.now = self.clock.time, 0.0
        self.waiting = array("I")
        self.busy = [0.0] * WORKERS
        self._calls_until: int | None = None
        self._mishap: str | None = None
        self.services = self._services()
        self.uploads = Uploads("uploads", WANTED)

    def fill(self) -> None:
        """What users do while nobody works; the events wait in no order."""
        while len(self.waiting) < self.messages:
            self.change()
        order = list(self.waiting)
        self.rng.shuffle(order)
        self.waiting = array("I", order)

    def change(self) -> None:
        key = self.rng.randrange(self.keys)
        if self.rng.random() < 0.2:
            self.storage.remove("uploads", name(key))
        else:
            self.storage.put("uploads", name(key), self.rng.choice((*GOOD, BAD)))
        for _ in range(2 if self.rng.random() < TWICE else 1):
            self.waiting.append(key)
            self.ends["sent"] += 1

    def work(self, told: Callable[[int], None]) -> None:
        """Until nothing waits; dead letters are sent back whenever all else is done. `told`: deliveries so far."""
        while self.waiting or self.hidden or self.dead:
            self._step()
            if self.rng.random() < 0.01:
                self.change()
            told(self.ends["deliveries"])

    def _step(self) -> None:
        """The next free worker takes the next message."""
        self.now = max(self.now, heapq.heappop(self.busy))
        message = self._receive()
        if message is None:
            heapq.heappush(self.busy, self.now)
            return
        key, deliveries, redriven = message
        takes = self.rng.uniform(*TAKES)
        back = self._deliver(key, deliveries, redriven, takes)
        heapq.heappush(self.busy, self.now + takes)
        if back is None:
            self.ends["finished"] += 1
        elif deliveries == MAX_RECEIVES:
            self.ends["dead letters"] += 1
            self.dead.append(key)
        else:
            heapq.heappush(self.hidden, (self.now + back, self.ends["deliveries"], key, deliveries, redriven))

    def _receive(self) -> tuple[int, int, bool] | None:
        """A key, its how many-th delivery this is, and whether it was dead before; None where time has to pass."""
        if self.hidden and (self.hidden[0][0] <= self.now or not self.waiting):
            visible_at, _, key, deliveries, redriven = heapq.heappop(self.hidden)
            self.now = max(self.now, visible_at)
            return key, deliveries + 1, redriven
        if self.waiting:
            return self.waiting.pop(), 1, False
        if self.dead:
            self.ends["redriven"] += len(self.dead)
            for key in self.dead:
                heapq.heappush(self.hidden, (self.now, self.ends["redriven"], key, 0, True))
            self.dead.clear()
        return None

    def _deliver(self, key: int, deliveries: int, redriven: bool, takes: float) -> float | None:
        """None where the message is done, else the seconds until it is seen again."""
        self.ends["deliveries"] += 1
        self._draw()
        self.clock.time = max(self.clock.time, self.begin + timedelta(seconds=self.now))
        try:
            consume(Message(body(key), "id", deliveries + redriven), self.uploads, self.services, _unheard)
        except RetryError as retry:
            self.ends["came back"] += 1
            return takes + retry_delay(deliveries, retry.after, self.rng.random)
        except Death:
            self.ends["died"] += 1
            return VISIBILITY
        return None

    def _draw(self) -> None:
        """Whether this delivery meets something, and at which of its calls."""
        chance = self.rng.random()
        self._calls_until = None if chance > FAULTS + DEATHS else self.rng.randrange(8)
        kinds = ("died before", "died after") if chance < DEATHS else ("refused", "answer lost")
        self._mishap = self.rng.choice(kinds)

    def _meets(self) -> str | None:
        if self._calls_until is None:
            return None
        self._calls_until -= 1
        return self._mishap if self._calls_until < 0 else None

    def _services(self) -> Services:
        plain = Pipeline(self.storage, self.records, isolated=made, transform=made).services
        facts = {name: getattr(plain, name) for name in plain.__dataclass_fields__}
        facts["storage"] = cast(Storage, Uncertain(self.storage, self._meets))
        facts["records"] = cast(Records, Uncertain(self.records, self._meets))
        return Services(**facts)

    def wrongs(self) -> list[str]:
        """In what the end differs from what the bucket holds; a message that is neither finished nor there is lost."""
        ends = self.ends
        lost = ends["sent"] - ends["finished"]
        wrongs = [f"{lost} messages are lost"] if lost else []
        named: set[str] = set()
        for key in map(name, range(self.keys)):
            record, current = self.records.items.get(key), self.storage.objects.get(("uploads", key))
            named |= record.output_keys if record else set()
            if (record and record.version_id) != (current and current.version.version_id):
                wrongs.append(f"{key}: record of {record and record.version_id}")
            elif record and (record.outcome == "DONE") != (current.data in GOOD):
                wrongs.append(f"{key}: {record.outcome}")
        return wrongs + [f"{len(named ^ self.storage.keys('outputs'))} outputs"] * (
            named != self.storage.keys("outputs")
        )


def name(key: int) -> str:
    return f"{key:06}.jpg"


def body(key: int) -> str:
    named = {"s3": {"bucket": {"name": "uploads"}, "object": {"key": name(key)}}}
    # Whatever the event says happened: nothing trusts it.
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", **named}]})


def _unheard(outcome: str, facts: object) -> None: ...
