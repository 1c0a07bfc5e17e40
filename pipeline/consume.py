"""One message from a queue, to its end: the only place that turns outcomes into what becomes of the message.

Returning means that the message may be deleted. RetryError means that it has to come back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.errors import RejectError, RetryError, SkipError
from pipeline.image_service.job import Answered, UrlJob
from pipeline.image_service.messages import Images, decode_urls
from pipeline.job import Job, Result
from pipeline.messages import Message, Uploads, decode
from pipeline.process import process
from pipeline.services import Services

if TYPE_CHECKING:
    from pipeline.image_service.services import UrlServices


class Report(Protocol):
    """Told once for each job, and once for a message that holds none: an outcome in one word, and plain facts."""

    def __call__(self, outcome: str, facts: Mapping[str, object]) -> None: ...


def consume(
    message: Message,
    intake: Uploads | Images,
    services: Services | UrlServices,
    report: Report,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Do all jobs of the message, whatever becomes of each; raises RetryError if any of them has to come back.

    Anything else that comes out of here is a bug: it was reported as one, and its trace is the caller's to log.
    """
    try:
        jobs = decode_urls(message, intake) if isinstance(intake, Images) else decode(message, intake)
    except SkipError as skip:
        return report("SKIPPED", {"reason": skip.reason})
    except RejectError as reject:
        return report("REJECTED", {"code": reject.code, "reason": reject.reason})
    except Exception as bug:
        report("BUG", {"reason": repr(bug)})
        raise
    errors = [error for job in jobs if (error := _finish(job, services, report, clock))]
    if errors:
        raise min(errors, key=_urgency)


def _urgency(error: Exception) -> float:
    """The soonest retry comes first; a bug before all, so that nobody takes it for something that passes."""
    return (error.after or 0) if isinstance(error, RetryError) else -1


def _finish(job: Job | UrlJob, services: Any, report: Report, clock: Callable[[], float]) -> Exception | None:
    started = clock()
    outcome, facts, error = _outcome(job, services)
    name = {"key": job.source.key} if isinstance(job, Job) else {"reply": job.reply.id}
    report(outcome, {**name, **facts, "ms": round(1000 * (clock() - started), 1)})
    return error


def _outcome(job: Job | UrlJob, services: Any) -> tuple[str, dict[str, object], Exception | None]:
    try:
        ended = process(job, services)
    except SkipError as skip:
        return "SKIPPED", {"reason": skip.reason}, None
    except RejectError as reject:
        return "REJECTED", {"code": reject.code, "reason": reject.reason}, None
    except RetryError as retry:
        return "RETRY", {"reason": retry.reason}, retry
    except Exception as bug:
        return "BUG", {"reason": repr(bug)}, bug
    return *(_recorded(ended) if isinstance(ended, Result) else _answered(ended)), None


def _recorded(result: Result) -> tuple[str, dict[str, object]]:
    record = result.record
    if record is None:
        return "REMOVED", {}
    sizes = {output.name: output.bytes for output in record.outputs}
    facts: dict[str, object] = {"bytes": record.original_bytes, **sizes}
    if result.left_out:
        facts["left_out"] = list(result.left_out)
    if record.error_code:
        facts |= {"code": record.error_code, "reason": record.error_message}
    return record.outcome.value, facts


def _answered(answered: Answered) -> tuple[str, dict[str, object]]:
    """FAILED where not one image of the message was good; a code wherever one was not."""
    errors = answered.errors
    facts: dict[str, object] = dict(answered.told)
    if errors:
        reasons = "; ".join(f"{field}: {error.reason}" for field, error in errors.items())
        facts |= {"code": next(iter(errors.values())).code, "reason": reasons}
    return ("FAILED" if len(errors) == len(answered.job.sources) else "DONE"), facts
