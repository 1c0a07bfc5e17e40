"""A small world in which a key lives: users, S3, a queue with its dead letters, and workers that really interleave.

Workers run in threads, but one at a time: each stops before and after every call to S3 or DynamoDB, and a seeded
scheduler says who goes on. There a worker may also die, meet a fault or lose an answer, and its message comes back as
SQS would bring it back. Time passes only where the world says so.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from pipeline.consume import consume
from pipeline.errors import RetryError
from pipeline.images.options import OutputOptions
from pipeline.images.variants import Variants
from pipeline.job import OutputWanted, Record
from pipeline.messages import Message, Uploads, outputs_of
from pipeline.queues import retry_delay
from pipeline.services import Services
from pipeline.storage import Storage
from pipeline.table.records import Records
from tests.functional.pipeline_in_memory import WANTED, Pipeline
from tests.images import jpeg, photo
from tests.memory_cloud import MemoryRecords, MemoryStorage

KEY = "a.jpg"
GOOD = [jpeg(photo((side, 8)), quality=95) for side in (8, 12)]
CONTENTS = [*GOOD, b"no picture"]
#: What another release makes of the same image, or the same one after variants were switched on.
OTHER_WANTED = (
    OutputWanted("thumbnail", OutputOptions(fit=(4, 4), format="WEBP"), "outputs", "thumbnails"),
    *outputs_of(Variants(("WEBP",), (5, 6)), "outputs")[1:],
)
VISIBILITY = 720
FUNCTION_TIMEOUT = 120
MAX_RECEIVES = 5
_AT_ONCE = 3


class Death(BaseException):
    """The worker's process ends here."""


class Bucket(MemoryStorage):
    """Storage whose uploads keep every version, so that taking the newest away brings back the one before it."""

    def __init__(self, *, versioned: bool) -> None:
        super().__init__(versioned=("uploads",) if versioned else ())
        self._history: list[Any] = []

    def put(self, bucket: str, key: str, data: bytes, *, is_output: bool = False) -> None:
        super().put(bucket, key, data, is_output=is_output)
        if bucket == "uploads":
            self._history.append(self.objects[bucket, key])

    def remove(self, bucket: str, key: str) -> None:
        super().remove(bucket, key)
        if bucket == "uploads":
            self._history.append(None)

    def take_newest_version(self) -> None:
        """Delete the newest version, or the delete marker, for good."""
        if self._history:
            self._history.pop()
        present = self._history[-1] if self._history else None
        self.objects.pop(("uploads", KEY), None)
        if present:
            self.objects["uploads", KEY] = present


@dataclass
class Waiting:
    """A message in the queue: seen again at `visible_at`."""

    body: str
    visible_at: Any
    deliveries: int = 0
    redriven: bool = False


class Worker:
    """One delivery of one message, which goes on only when told to."""

    def __init__(self, message: Waiting, work: Callable[[Callable[[], None]], None], started: Any) -> None:
        self.message = message
        self.started = started
        self.ended = False
        self.retry: RetryError | None = None
        self.died = False
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._doomed = False
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def step(self, *, die: bool = False) -> None:
        """Let it go on to its next stop or its end."""
        self._doomed = die
        self._go.release()
        self._stopped.acquire()
        if self.ended:
            self._thread.join()

    def _run(self, work: Callable[[Callable[[], None]], None]) -> None:
        try:
            self._go.acquire()
            work(self._stop)
        except RetryError as retry:
            self.retry = retry
        except Death:
            self.died = True
        finally:
            self.ended = True
            self._stopped.release()

    def _stop(self) -> None:
        self._stopped.release()
        self._go.acquire()
        if self._doomed:
            raise Death


class Stepwise:
    """An edge that stops before and after every call, and sometimes fails there."""

    def __init__(self, edge: Any, stop: Callable[[], None], fault: Callable[[], str | None]) -> None:
        self._edge, self._stop, self._fault = edge, stop, fault

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._edge, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._stop()
            fault = self._fault()
            if fault == "refused":
                raise RetryError("SlowDown")
            if fault == "sent twice":
                # The first answer was lost and boto asked again.
                _whole(method(*arguments, **options))
            result = _whole(method(*arguments, **options))
            self._stop()
            if fault == "answer lost":
                raise RetryError("connection reset")
            return result

        return call


def _whole(result: Any) -> Any:
    return list(result) if isinstance(result, Iterator) else result


@dataclass
class World:
    """One seeded life of one key. `records` may be a table that is worse than DynamoDB, to see that it is noticed."""

    seed: int
    records: MemoryRecords = field(default_factory=MemoryRecords)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.versioned = self.rng.random() < 0.75
        self.storage = Bucket(versioned=self.versioned)
        self.clock = self.storage.clock
        self.queue: list[Waiting] = []
        self.dead: list[Waiting] = []
        self.workers: list[Worker] = []
        self.changes_left = self.rng.randint(1, 5)
        self.faults_left = self.rng.choice((0, 0, 1, 2, 4))
        self.deaths_left = self.rng.choice((0, 0, 1, 2))
        self.hurry = self.rng.choice((0.2, 0.5, 0.8))
        self.pace = self.rng.choice((0, 1, 10, 40))
        self.wanted: tuple[OutputWanted, ...] = WANTED

    def run(self) -> None:
        while self.changes_left or self.workers or self.queue or self.dead:
            self.turn()

    def turn(self) -> None:
        due = [message for message in self.queue if message.visible_at <= self.clock.time]
        if self.changes_left and self.rng.random() < self.hurry / 2:
            self.change()
        elif due and len(self.workers) < _AT_ONCE and self.rng.random() < self.hurry:
            self.receive(self.rng.choice(due))
        elif self.workers:
            self.go_on(self.rng.choice(self.workers))
        elif self.queue and not due:
            self.clock.time = max(self.clock.time, min(message.visible_at for message in self.queue))
        elif not self.queue and not self.changes_left:
            self.redrive()

    def change(self) -> None:
        """Somebody changes the object; S3 sends its event once or twice. Or another release is deployed."""
        self.changes_left -= 1
        chance = self.rng.random()
        if chance < 0.1:
            self.wanted = OTHER_WANTED if self.wanted is WANTED else WANTED
            return self.announce("Put", force=True)
        if chance < 0.3:
            self.storage.remove("uploads", KEY)
            return self.announce("Delete")
        if chance < 0.5 and self.versioned:
            self.storage.take_newest_version()
            return self.announce("Delete")
        self.storage.put("uploads", KEY, self.rng.choice(CONTENTS))
        self.announce("Put")

    def announce(self, event: str, *, force: bool = False) -> None:
        named = {"s3": {"bucket": {"name": "uploads"}, "object": {"key": KEY}}}
        kind = "ObjectCreated" if event == "Put" else "ObjectRemoved"
        body: dict[str, Any] = {"Records": [{"eventName": f"{kind}:{event}", **named}]}
        if force:
            body = {"bucket_name": "uploads", "image_key": KEY, "force": True}
        for _ in range(self.rng.choice((1, 1, 2))):
            self.queue.append(Waiting(json.dumps(body), self.clock.time))

    def receive(self, message: Waiting) -> None:
        if message.deliveries == MAX_RECEIVES:
            self.queue.remove(message)
            self.dead.append(message)
            return
        message.deliveries += 1
        message.visible_at = self.clock.time + timedelta(seconds=VISIBILITY)
        delivery = Message(message.body, "id", message.deliveries + message.redriven)
        uploads = Uploads("uploads", self.wanted)

        def work(stop: Callable[[], None]) -> None:
            consume(delivery, uploads, self.services(stop), lambda outcome, facts: None)

        self.workers.append(Worker(message, work, self.clock.time))

    def services(self, stop: Callable[[], None]) -> Services:
        pipeline = Pipeline(cast(MemoryStorage, self.storage), self.records)
        plain = pipeline.services
        return Services(
            **{
                **{name: getattr(plain, name) for name in plain.__dataclass_fields__},
                "storage": cast(Storage, Stepwise(self.storage, stop, self.fault)),
                "records": cast(Records, Stepwise(self.records, stop, self.fault)),
            }
        )

    def fault(self) -> str | None:
        if not self.faults_left or self.rng.random() < 0.8:
            return None
        self.faults_left -= 1
        return self.rng.choice(("refused", "answer lost", "sent twice"))

    def go_on(self, worker: Worker) -> None:
        self.clock.pass_seconds(self.pace if self.rng.random() < 0.1 else 0)
        late = (self.clock.time - worker.started).total_seconds() > FUNCTION_TIMEOUT
        die = late or (self.deaths_left > 0 and self.rng.random() < 0.05)
        self.deaths_left -= die and not late
        worker.step(die=die)
        if worker.ended:
            self.workers.remove(worker)
            self.settle(worker)

    def settle(self, worker: Worker) -> None:
        """What becomes of the message: deleted, put off, or seen again when its visibility timeout ends."""
        if worker.retry:
            delay = retry_delay(worker.message.deliveries, worker.retry.after, self.rng.random)
            worker.message.visible_at = self.clock.time + timedelta(seconds=delay)
        elif not worker.died:
            self.queue.remove(worker.message)

    def redrive(self) -> None:
        for message in self.dead:
            self.queue.append(Waiting(message.body, self.clock.time, redriven=True))
        self.dead.clear()

    @property
    def record(self) -> Record | None:
        return self.records.items.get(KEY)

    @property
    def outputs(self) -> set[str]:
        return self.storage.keys("outputs")

    def wrongs(self) -> Collection[str]:
        """Everything in which the end differs from what the object is; empty is right."""
        current, record = self.storage.objects.get(("uploads", KEY)), self.record
        wrongs = []
        if (record is None) != (current is None):
            wrongs.append(f"object {current and current.version}, record {record and record.outcome}")
        if self.outputs != (record.output_keys if record else set()):
            wrongs.append(f"outputs {sorted(self.outputs)}, named {sorted(record.output_keys if record else ())}")
        if record and current:
            if (record.version_id, record.etag) != (current.version.version_id, current.version.etag):
                wrongs.append(f"record of {record.version_id}, object {current.version.version_id}")
            if (record.outcome == "DONE") != (current.data in GOOD):
                wrongs.append(f"outcome {record.outcome}")
        return wrongs
