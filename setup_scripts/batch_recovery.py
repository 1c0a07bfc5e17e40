"""What the tags tell of AWS Batch when the state is lost."""

from __future__ import annotations

from cli import names
from cli.aws import Aws
from setup_scripts.batch_options import WANTED, BatchOptions

_DELETED = ("DELETED", "INACTIVE")


def known_name(resource: str, name: str) -> tuple[str, str] | None:
    """The queue tells that there is AWS Batch; how large a job is, is said to the next setup, or is the default."""
    if resource != f"job-queue/{names.suffixed(names.BATCH_QUEUE, name)}":
        return None
    state: dict[str, str] = {}
    BatchOptions().keep(state)
    return WANTED, state[WANTED]


def exists(aws: Aws, resource: str) -> bool:
    """Whether a resource such as `job-queue/ImageBatchQueue` is there; AWS goes on naming what was deleted."""
    kind, _, name = resource.partition("/")
    found: list[str] = []
    if kind == "compute-environment":
        described = aws.batch.describe_compute_environments(computeEnvironments=[name])["computeEnvironments"]
        found = [str(entry.get("status")) for entry in described]
    elif kind == "job-queue":
        found = [str(entry.get("status")) for entry in aws.batch.describe_job_queues(jobQueues=[name])["jobQueues"]]
    elif kind == "job-definition":
        definitions = aws.batch.describe_job_definitions(jobDefinitions=[name])["jobDefinitions"]
        found = [str(entry.get("status")) for entry in definitions]
    return any(status not in _DELETED for status in found)
