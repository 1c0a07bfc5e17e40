"""A discrete-event model of a deployment: messages wait, a trigger starts batches of them, AWS lets so much through.

Three things hold a message up: the trigger has no batch free for it (it begins with a few and may run more each second,
up to its maximum); the batch takes its time in the function; and S3 or DynamoDB take no more requests for the moment.
Kinder than AWS: who meets a full part waits in line instead of trying again. Harsher: an image counts as done when its
whole batch is. Environments that were made once stay. Lambda's own ramp is left out: it is twenty times as steep as the
trigger's.
"""

from __future__ import annotations

import random
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

from simpy import Environment, Event

#: Draws what an image takes, as a multiple of the mean.
Spread = Callable[[random.Random], float]
#: What simpy calls a process.
Steps = Generator[Event, Any, None]
#: When how many messages come: seconds since the one before, and their number.
Arrivals = Iterable[tuple[float, int]]


def always_the_mean(_: random.Random) -> float:
    return 1.0


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the function takes, in seconds: `cpu` and `wait` for each image, `cold` more in a new environment."""

    cpu: float
    wait: float
    cold: float = 0.0
    threads: int = 1
    vcpus: float = 1.0
    spread: Spread = always_the_mean

    def seconds(self, images: int, factor: float) -> float:
        """Of a batch: its threads wait side by side, and then work side by side on the function's share of a processor.

        They begin together and stay so: benchmarks/threads.py finds that what one works hides little of what the others
        wait.
        """
        rounds, rest = divmod(images, self.threads)
        return rounds * self._round(self.threads, factor) + (self._round(rest, factor) if rest else 0.0)

    def _round(self, images: int, factor: float) -> float:
        cpu = self.cpu * factor
        return self.wait + max(cpu, images * cpu / self.vcpus)


@dataclass(frozen=True)
class Part:
    """What a part of AWS lets through: units in a second, and how many of them an image takes."""

    name: str
    per_second: float
    per_image: float

    @property
    def images_per_second(self) -> float:
        return self.per_second / self.per_image


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """`first` batches run at once when the queue becomes busy, `more` may each second, `most` at any time."""

    service: Service
    most: int
    first: int = 5
    more: float = 5.0
    batch: int = 10
    parts: tuple[Part, ...] = ()


@dataclass
class Run:
    """What happened. `delays` and `counts`: seconds from a message's arrival to its end, and how many took so long.

    `billed`: seconds of all batches. `area`: the integral of the number of messages in the system over time.
    `timeline`: second, messages waiting, batches running, images done. `held_up`: seconds that batches waited, by part.
    """

    images: int = 0
    seconds: float = 0.0
    batches: int = 0
    cold_starts: int = 0
    billed: float = 0.0
    area: float = 0.0
    most_running: int = 0
    most_waiting: int = 0
    delays: array[float] = field(default_factory=lambda: array("d"))
    counts: array[int] = field(default_factory=lambda: array("l"))
    timeline: list[tuple[float, int, int, int]] = field(default_factory=list)
    held_up: dict[str, float] = field(default_factory=dict)

    def quantiles(self, *shares: float) -> list[float]:
        """For each of `shares`, in rising order, the delay that so many of the images did not exceed."""
        found: list[float] = []
        seen = 0
        for delay, count in sorted(zip(self.delays, self.counts, strict=True)):
            seen += count
            while len(found) < len(shares) and seen >= shares[len(found)] * self.images:
                found.append(delay)
        return found

    @property
    def mean_delay(self) -> float:
        return sum(delay * count for delay, count in zip(self.delays, self.counts, strict=True)) / self.images


def simulate(deployment: Deployment, arrivals: Arrivals, *, seed: int = 0, every: float = 60.0) -> Run:
    """Play `arrivals` to the end of the last message; the timeline has a point `every` so many seconds."""
    environment = Environment()
    pipeline = _Pipeline(environment, deployment, random.Random(seed))
    environment.process(pipeline.take_in(arrivals))
    environment.process(pipeline.scale())
    environment.process(pipeline.note(every))
    environment.run(until=pipeline.finished)
    pipeline.run.seconds = environment.now
    return pipeline.run


class _Line:
    """Those who wait for a part: it gives each what it wants, one after the other, at its own speed."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._free_at = 0.0

    def wait(self, now: float, images: int) -> float:
        begins = max(now, self._free_at)
        self._free_at = begins + images / self.part.images_per_second
        return begins - now


class _Pipeline:
    def __init__(self, environment: Environment, deployment: Deployment, rng: random.Random) -> None:
        self.run = Run(held_up={part.name: 0.0 for part in deployment.parts})
        self.finished: Event = environment.event()
        self._environment = environment
        self._deployment = deployment
        self._rng = rng
        self._lines = [_Line(part) for part in deployment.parts]
        #: When messages came, and how many of these are still waiting.
        self._queue: deque[tuple[float, int]] = deque()
        self._waiting = self._inside = self._running = self._environments = 0
        self._allowed = float(min(deployment.first, deployment.most))
        self._all_came = False
        self._changed_at = 0.0

    def take_in(self, arrivals: Arrivals) -> Steps:
        for gap, count in arrivals:
            if gap:
                yield self._environment.timeout(gap)
            self._count_inside(count)
            self._queue.append((self._environment.now, count))
            self._waiting += count
            self._start()
            self.run.most_waiting = max(self.run.most_waiting, self._waiting)
        self._all_came = True
        self._end_if_empty()

    def scale(self) -> Steps:
        """The trigger runs more batches while messages wait, and fewer when none do."""
        deployment = self._deployment
        while True:
            yield self._environment.timeout(1)
            if self._waiting and self._running >= int(self._allowed):
                self._allowed = min(deployment.most, self._allowed + deployment.more)
                self._start()
            elif not self._waiting:
                least = max(self._running, min(deployment.first, deployment.most))
                self._allowed = max(least, self._allowed - deployment.more)

    def note(self, every: float) -> Steps:
        while True:
            self.run.timeline.append((round(self._environment.now, 1), self._waiting, self._running, self.run.images))
            yield self._environment.timeout(every)

    def _start(self) -> None:
        while self._waiting and self._running < int(self._allowed):
            taken = list(self._take())
            self._running += 1
            is_cold = self._running > self._environments
            self._environments += is_cold
            self.run.cold_starts += is_cold
            self.run.most_running = max(self.run.most_running, self._running)
            self._begin(taken, is_cold)

    def _take(self) -> Iterable[tuple[float, int]]:
        left = self._deployment.batch
        while left and self._queue:
            came, count = self._queue.popleft()
            taken = min(left, count)
            if taken < count:
                self._queue.appendleft((came, count - taken))
            left -= taken
            self._waiting -= taken
            yield came, taken

    def _begin(self, taken: list[tuple[float, int]], is_cold: bool) -> None:
        images = sum(count for _, count in taken)
        service = self._deployment.service
        seconds = service.seconds(images, service.spread(self._rng)) + is_cold * service.cold + self._held_up(images)
        # A process for each batch would take simpy twice as long.
        ended = self._environment.timeout(seconds)
        ended.callbacks.append(lambda _: self._end(taken, images, seconds))

    def _end(self, taken: list[tuple[float, int]], images: int, seconds: float) -> None:
        self._count_inside(-images)
        self._running -= 1
        self.run.images += images
        self.run.batches += 1
        self.run.billed += seconds
        for came, count in taken:
            self.run.delays.append(self._environment.now - came)
            self.run.counts.append(count)
        self._start()
        self._end_if_empty()

    def _held_up(self, images: int) -> float:
        """The longest of the waits for the parts: while a batch stands in one line, the others become shorter."""
        longest = 0.0
        for line in self._lines:
            wait = line.wait(self._environment.now, images)
            self.run.held_up[line.part.name] += wait
            longest = max(longest, wait)
        return longest

    def _count_inside(self, change: int) -> None:
        now = self._environment.now
        self.run.area += self._inside * (now - self._changed_at)
        self._inside += change
        self._changed_at = now

    def _end_if_empty(self) -> None:
        if self._all_came and not self._inside and not self.finished.triggered:
            self.finished.succeed()
