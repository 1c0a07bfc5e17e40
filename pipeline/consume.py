"""One message from a queue, to its end: the only place that turns outcomes into what becomes of the message.

Returning means that the message may be deleted. RetryError means that it has to come back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from pipeline.errors import RejectError, RetryError, SkipError
from pipeline.job import Job
from pipeline.messages import Message, Uploads, decode
from pipeline.process import process
from pipeline.services import Services


class Report(Protocol):
    """Told once for each job, and once for a message that holds none: an outcome in one word, and plain facts."""

    def __call__(self, outcome: str, facts: Mapping[str, object]) -> None: ...


def consume(
    message: Message,
    uploads: Uploads,
    services: Services,
    report: Report,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Do all jobs of the message, whatever becomes of each; raises RetryError if any of them has to come back."""
    try:
        jobs = decode(message, uploads)
    except SkipError as skip:
        return report("SKIPPED", {"reason": skip.reason})
    except RejectError as reject:
        return report("REJECTED", {"code": reject.code, "reason": reject.reason})
    retries = [retry for job in jobs if (retry := _finish(job, services, report, clock))]
    if retries:
        raise min(retries, key=lambda retry: retry.after or 0)


def _finish(job: Job, services: Services, report: Report, clock: Callable[[], float]) -> RetryError | None:
    started = clock()
    outcome, facts, retry = _outcome(job, services)
    report(outcome, {"key": job.source.key, **facts, "ms": round(1000 * (clock() - started), 1)})
    return retry


def _outcome(job: Job, services: Services) -> tuple[str, dict[str, object], RetryError | None]:
    try:
        record = process(job, services).record
    except SkipError as skip:
        return "SKIPPED", {"reason": skip.reason}, None
    except RejectError as reject:
        return "REJECTED", {"code": reject.code, "reason": reject.reason}, None
    except RetryError as retry:
        return "RETRY", {"reason": retry.reason}, retry
    if record is None:
        return "REMOVED", {}, None
    sizes = {output.name: output.bytes for output in record.outputs}
    facts: dict[str, object] = {"bytes": record.original_bytes, **sizes}
    if record.error_code:
        facts |= {"code": record.error_code, "reason": record.error_message}
    return record.outcome.value, facts, None
