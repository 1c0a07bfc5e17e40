"""What became of jobs in AWS Batch: the states of their children, and which of them failed and why.

Every function raises RetryError for whatever AWS may answer better later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.aws_errors import retried
from pipeline.batch.settings import BATCH
from pipeline.errors import RetryError

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_batch.type_defs import JobDetailTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

#: States in which a job stays.
ENDED = ("SUCCEEDED", "FAILED")
_AT_ONCE = 100
#: The last lines of a log, among which the reason is looked for.
_LINES = 20


@dataclass(frozen=True)
class Child:
    """A child that failed, or a plain job: which batch it was for, and where its log is."""

    job_id: str
    batch: int
    reason: str
    exit_code: int | None
    log_group: str
    log_stream: str | None


def states(batch: BatchClient, job_id: str) -> Counter[str]:
    """State → number of children; of a plain job, its own."""
    job = _describe(batch, [job_id])[0]
    size = job.get("arrayProperties", {}).get("size")
    if size is None:
        return Counter([job["status"]])
    children = Counter(job["arrayProperties"].get("statusSummary", {}))
    # One that ended before it had children has none to wait for.
    return Counter({job["status"]: size}) if job["status"] in ENDED and not children.total() else children


def reason(batch: BatchClient, job_id: str) -> str:
    """Why AWS Batch ended the job itself, in its words; "" where it has nothing to say."""
    return _describe(batch, [job_id])[0].get("statusReason", "")


def environment(batch: BatchClient, job_id: str) -> dict[str, str]:
    """The variables that the job was given."""
    job = _describe(batch, [job_id])[0]
    return {entry["name"]: entry["value"] for entry in job.get("container", {}).get("environment", [])}


def failed(batch: BatchClient, job_id: str, indexes: Sequence[int] | None) -> list[Child]:
    """The children that failed, in the order of their batches; a plain job is its own child.

    `indexes`: the batches of a job that is a retry itself.
    """
    job = _describe(batch, [job_id])[0]
    if "size" in job.get("arrayProperties", {}):
        jobs = _describe(batch, list(_failed_ids(batch, job_id)))
    else:
        jobs = [job] if job["status"] == "FAILED" else []
    return sorted((_child(job, indexes) for job in jobs), key=lambda child: child.batch)


def _failed_ids(batch: BatchClient, job_id: str) -> Iterator[str]:
    with retried(f"ListJobs of {job_id}"):
        for page in batch.get_paginator("list_jobs").paginate(arrayJobId=job_id, jobStatus="FAILED"):
            yield from (job["jobId"] for job in page["jobSummaryList"])


def _describe(batch: BatchClient, job_ids: Sequence[str]) -> list[JobDetailTypeDef]:
    found: list[JobDetailTypeDef] = []
    for start in range(0, len(job_ids), _AT_ONCE):
        with retried("DescribeJobs"):
            found += batch.describe_jobs(jobs=list(job_ids[start : start + _AT_ONCE]))["jobs"]
    if len(found) < len(job_ids):
        known = {job["jobId"] for job in found}
        missing = next(job_id for job_id in job_ids if job_id not in known)
        raise RetryError(f"AWS Batch knows no job {missing}; it forgets a job some days after its end")
    return found


def last_words(logs: CloudWatchLogsClient, child: Child) -> str:
    """The last line of the child's log that says more than the sum, or ""; a log may be gone, or not there yet."""
    if child.log_stream is None:
        return ""
    try:
        with retried(f"GetLogEvents {child.log_stream}"):
            answer = logs.get_log_events(
                logGroupName=child.log_group, logStreamName=child.log_stream, limit=_LINES, startFromHead=False
            )
    except RetryError:
        return ""
    lines = [event["message"].strip() for event in answer["events"] if event["message"].strip()]
    telling = [line for line in lines if not line.startswith("Compressed ")]
    return (telling or lines or [""])[-1]


def _child(job: JobDetailTypeDef, indexes: Sequence[int] | None) -> Child:
    container: dict[str, Any] = dict(job.get("container", {}))
    variables = {entry["name"]: entry["value"] for entry in container.get("environment", [])}
    # The id of a child is that of its parent, a colon and its index.
    _, colon, text = job["jobId"].partition(":")
    if colon:
        batch = indexes[int(text)] if indexes else int(text) + 1
    else:
        batch = int(variables[BATCH].removeprefix("batch_"))
    options = container.get("logConfiguration", {}).get("options", {})
    return Child(
        job["jobId"],
        batch,
        container.get("reason") or job.get("statusReason", ""),
        container.get("exitCode"),
        options.get("awslogs-group", "/aws/batch/job"),
        container.get("logStreamName"),
    )
