"""What is played: days of uploads of each size, and backlogs at each setting; and what comes of it, in figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.costs import per_million
from benchmarks.simulation.arrivals import DAY, backlog, day
from benchmarks.simulation.deployed import Measured, deployment
from benchmarks.simulation.limits import RETENTION
from benchmarks.simulation.model import Run, simulate
from setup_scripts.add_sqs_trigger import MOST_CONCURRENCY

DAYS = (10_000, 100_000, 1_000_000)
BACKLOG = 10_000_000
#: MaximumConcurrency as setup.py sets it in an account that may run 10 functions at once, and in one that may run
#: 1,000; then what a person may set by hand, up to what AWS takes.
SETTINGS = (5, MOST_CONCURRENCY, 300, 1_000)
#: Points of a timeline, about. Those of the backlogs at setup's own setting are kept.
POINTS = 100
#: A batch is received once and deleted once, and a message was sent by S3.
SQS_OF_A_BATCH = 2


@dataclass(frozen=True)
class Plan:
    """One play. `is_backlog`: all images are there at the start; otherwise they come in the course of a day."""

    found: Measured
    size: str
    images: int
    is_backlog: bool
    most: int
    slower: float
    seed: int


@dataclass(frozen=True)
class Played:
    """What came of it. Delays: seconds from message to end of the batch; `breaks_first`: who held up most, if any."""

    size: str
    images: int
    is_backlog: bool
    most: int
    hours: float
    images_per_second: float
    p50: float
    p95: float
    p99: float
    most_running: int
    most_waiting: int
    cold_starts: int
    images_per_batch: float
    dollars_per_million: float
    breaks_first: str
    held_up: dict[str, float]
    timeline: list[tuple[float, int, int, int]]
    wall_seconds: float


def plans(found: Measured, *, share: float, slower: float, seed: int) -> Iterator[Plan]:
    """Everything, the longest first; `share` of each number of images."""
    for size in found.times:
        for most in SETTINGS:
            yield Plan(found, size, int(BACKLOG * share), True, most, slower, seed)
        for images in reversed(DAYS):
            yield Plan(found, size, int(images * share), False, MOST_CONCURRENCY, slower, seed)


def play(plan: Plan) -> Played:
    began = time.perf_counter()
    deployed = deployment(plan.found, plan.size, most=plan.most, slower=plan.slower)
    arrivals = backlog(plan.images) if plan.is_backlog else day(plan.images, seed=plan.seed)
    # Not known before it is played, but near enough to cut it into points.
    alone = plan.images / plan.most * deployed.service.seconds(deployed.batch, 1) / deployed.batch
    run = simulate(deployed, arrivals, seed=plan.seed, every=(alone if plan.is_backlog else DAY) / POINTS)
    p50, p95, p99 = run.quantiles(0.5, 0.95, 0.99)
    held_up = {name: round(seconds / run.billed, 3) for name, seconds in run.held_up.items()}
    return Played(
        size=plan.size,
        images=run.images,
        is_backlog=plan.is_backlog,
        most=plan.most,
        hours=round(run.seconds / 3600, 2),
        images_per_second=round(run.images / run.seconds, 1),
        p50=round(p50, 2),
        p95=round(p95, 2),
        p99=round(p99, 2),
        most_running=run.most_running,
        most_waiting=run.most_waiting,
        cold_starts=run.cold_starts,
        images_per_batch=round(run.images / run.batches, 2),
        dollars_per_million=_dollars(run, plan.found),
        breaks_first=breaks_first(run, plan.most),
        held_up=held_up,
        timeline=run.timeline if plan.is_backlog and plan.most == MOST_CONCURRENCY else [],
        wall_seconds=round(time.perf_counter() - began, 1),
    )


def _dollars(run: Run, found: Measured) -> float:
    batches = run.batches / run.images
    requests = {**found.requests, "SQS": 1 + SQS_OF_A_BATCH * batches, "Lambda": batches}
    return round(sum(per_million(requests, 1000 * run.billed / run.images).values()), 2)


def breaks_first(run: Run, most: int) -> str:
    """Messages that a queue would have dropped; else the part that took a tenth of the batches' time or more; else the
    trigger, if it was at its maximum."""
    if max(run.delays) > RETENTION.value:
        return "the age of messages"
    name, seconds = max(run.held_up.items(), key=lambda item: item[1])
    if seconds > 0.1 * run.billed:
        return name
    return "MaximumConcurrency" if run.most_running >= most else "nothing"
