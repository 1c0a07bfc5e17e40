"""The deployment that `setup.py` makes, in the model's terms: measured times, and what each part of AWS takes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.simulation import limits
from benchmarks.simulation.arrivals import lognormal
from benchmarks.simulation.model import Deployment, Part, Service
from cli.cost import WAITING_MS
from cli.exits import CommandError
from setup_scripts.add_sqs_trigger import BATCH_SIZE
from setup_scripts.functions import PROCESSING

#: Of the handler: one for each of the two processors that a function of this memory sees.
THREADS = 2
#: Of a record: an item of 1 to 2 kB, whose entry in each index is somewhat smaller. A write unit is a kilobyte begun.
ITEM_UNITS = 2
INDEX_UNITS = 2
#: Values of `Feed`, which is the partition key of the indexes.
FEEDS = 4
#: At first: S3 and DynamoDB give a bucket and a table more of them where the requests go on.
PARTS = (
    Part("writes to the outputs bucket", limits.S3_WRITES.value, 2),
    Part("reads of the uploads bucket", limits.S3_READS.value, 2),
    Part("writes to the table", limits.NEW_TABLE_WRITES.value, ITEM_UNITS),
    Part("writes to the index Newest", FEEDS * limits.PARTITION_WRITES.value, INDEX_UNITS),
)


@dataclass(frozen=True)
class Times:
    """Milliseconds of CPU of an image in the function on the machine that measured, and how much they vary."""

    cpu_ms: float
    variation: float


@dataclass(frozen=True)
class Measured:
    """What benchmarks/end_to_end.py found: times by size, the CPU of a cold start, and requests of an image by kind."""

    times: Mapping[str, Times]
    cold_ms: float
    requests: Mapping[str, float]


def measured(path: Path) -> Measured:
    """CommandError where the file is none of benchmarks/end_to_end.py."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["model"]
        times = {size: Times(**one) for size, one in found["times"].items()}
        return Measured(times, found["cold_ms"], found["requests"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{path} holds no service times ({error!r}): python benchmarks/end_to_end.py --write writes them"
        ) from error


def deployment(found: Measured, size: str, *, most: int, slower: float) -> Deployment:
    """With a MaximumConcurrency of `most`, on processors that are `slower` than the one that was measured on."""
    times = found.times[size]
    service = Service(
        cpu=times.cpu_ms * slower / 1000,
        wait=float(WAITING_MS) / 1000,
        cold=found.cold_ms * slower / 1000,
        threads=THREADS,
        vcpus=PROCESSING.memory / limits.ONE_VCPU.value,
        spread=lognormal(times.variation),
    )
    return Deployment(
        service=service,
        most=most,
        first=int(limits.FIRST_BATCHES.value),
        more=limits.MORE_BATCHES.value / 60,
        batch=BATCH_SIZE,
        parts=PARTS,
    )
