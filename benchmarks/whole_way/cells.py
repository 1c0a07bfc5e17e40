"""What a cell of the benchmark is: one size at one number of parallel uploads; and what its requests say of it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.metering import BENCHMARK, Request
from benchmarks.whole_way.load import Seen

LOOK, RECORD = "DynamoDB GetItem", "DynamoDB UpdateItem"
OUTPUT = "PutObject output"
#: From the beginning of an upload to the answer that shows the image, in this order.
PHASES = ("upload", "queue", "look and fetch", "transform", "put outputs", "record", "gallery")


@dataclass(frozen=True)
class Cell:
    """Milliseconds but for `seconds`. `cpu_ms`: of an image, by whom. `calls`: of the functions, for an image.

    `phases`: medians. `emulator_ms`: median of the time in which the local cloud answered the requests on the way.
    """

    size: str
    bytes_each: int
    parallel: int
    images: int
    seconds: float
    images_per_second: float
    p50_ms: float
    p95_ms: float
    emulator_ms: float
    cpu_ms: Mapping[str, float]
    phases: Mapping[str, float]
    calls: Mapping[str, float]
    variation: float


def cell(
    size: str, parallel: int, pictures: Sequence[bytes], seen: Sequence[Seen], requests: Sequence[Request], cpu: Cpu
) -> Cell:
    by_key: dict[str, list[Request]] = {}
    for request in requests:
        by_key.setdefault(request.key, []).append(request)
    ways = [(one, by_key[one.key]) for one in seen]
    phases = [_phases(one, found) for one, found in ways]
    delays = sorted(1000 * (one.seen - one.sent) for one in seen)
    seconds = max(one.seen for one in seen) - min(one.sent for one in seen)
    transforms = [phase["transform"] for phase in phases]
    return Cell(
        size=size,
        bytes_each=sum(map(len, pictures)) // len(pictures),
        parallel=parallel,
        images=len(seen),
        seconds=round(seconds, 1),
        images_per_second=round(len(seen) / seconds, 2),
        p50_ms=round(statistics.median(delays)),
        p95_ms=round(delays[min(len(delays) - 1, int(0.95 * len(delays)))]),
        emulator_ms=round(statistics.median(_answering(found) for _, found in ways), 1),
        cpu_ms={who: round(1000 * used / len(seen), 1) for who, used in cpu.items()},
        phases={name: round(statistics.median(one[name] for one in phases), 1) for name in PHASES},
        calls=calls(requests, {one.key for one in seen}),
        variation=round(statistics.pstdev(transforms) / statistics.fmean(transforms), 2),
    )


#: Seconds of CPU by who used them.
Cpu = Mapping[str, float]


def calls(requests: Iterable[Request], keys: set[str]) -> dict[str, float]:
    """Requests of the functions for an image: those about one of `keys`, and what the totals' function sends."""
    counts = Counter(
        request.call
        for request in requests
        if request.by == "function" and (request.key in keys or request.call == "DynamoDB TransactWriteItems")
    )
    return {call: round(count / len(keys), 3) for call, count in sorted(counts.items())}


def _phases(one: Seen, requests: Sequence[Request]) -> dict[str, float]:
    upload = next(request for request in requests if request.by == BENCHMARK)
    own = [request for request in requests if request.by == "function"]
    look, fetch = _first(own, LOOK), _first(own, "GetObject")
    outputs, record = [request for request in own if request.call == OUTPUT], _first(own, RECORD)
    ends = (
        upload.end,
        look.at,
        fetch.end,
        outputs[0].at,
        max(output.end for output in outputs),
        record.end,
        one.seen,
    )
    begins = (one.sent, *ends)
    return {name: 1000 * (end - begin) for name, begin, end in zip(PHASES, begins, ends, strict=False)}


def _answering(requests: Sequence[Request]) -> float:
    return 1000 * sum(request.seconds for request in requests)


def _first(requests: Iterable[Request], call: str) -> Request:
    return min((request for request in requests if request.call == call), key=lambda request: request.at)
