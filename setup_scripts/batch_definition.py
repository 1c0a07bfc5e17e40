"""The job definition: which image runs, how large, in whose name, and when a job that ends badly is tried again."""

from __future__ import annotations

from typing import Any

from cli import names
from pipeline.batch.settings import MEMORY
from setup_scripts.batch_options import BatchOptions
from setup_scripts.context import Context
from setup_scripts.ownership import is_ours, leave, refuse

#: A batch that is not done after this many seconds is stopped; its outputs stay, and a retry does the rest.
_TIMEOUT = 24 * 3600
_ATTEMPTS = 5
#: In the letters in which AWS Batch answers them.
_AGAIN, _NOT_AGAIN = "retry", "exit"


def log_group(context: Context) -> str:
    return f"/aws/batch/{context.suffixed(names.BATCH_JOB)}"


def ensure_definition(
    context: Context, options: BatchOptions, *, image: str, job_role: str, execution_role: str, architecture: str
) -> str:
    """The ARN of the newest revision of ours, which is as wanted; without revision, jobs would take whatever is newest.

    CommandError where all revisions are another's.
    """
    wanted = _wanted(context, options, image, job_role, execution_role, architecture)
    present = _newest_of_ours(context, wanted["jobDefinitionName"])
    if present is not None and _holds(present, wanted):
        return str(present["jobDefinitionArn"])
    made = context.aws.batch.register_job_definition(**wanted, tags=context.tags)
    context.say(f"created: job definition {wanted['jobDefinitionName']}, revision {made.get('revision', 'new')}")
    return str(made["jobDefinitionArn"])


def delete_definitions(context: Context) -> None:
    name = context.suffixed(names.BATCH_JOB)
    for present in _active(context, name):
        told = f"{name}, revision {present['revision']}"
        if not _is_ours(context, present):
            leave(context, "job definition", told)
            continue
        context.aws.batch.deregister_job_definition(jobDefinition=present["jobDefinitionArn"])
        context.say(f"deleted: job definition {told}")


def _wanted(
    context: Context, options: BatchOptions, image: str, job_role: str, execution_role: str, architecture: str
) -> dict[str, Any]:
    group = log_group(context)
    region = context.aws.target.region
    return {
        "jobDefinitionName": context.suffixed(names.BATCH_JOB),
        "type": "container",
        "platformCapabilities": ["FARGATE"],
        "propagateTags": True,
        "timeout": {"attemptDurationSeconds": _TIMEOUT},
        "retryStrategy": {"attempts": _ATTEMPTS, "evaluateOnExit": _when_again()},
        "containerProperties": {
            "image": image,
            "environment": [{"name": MEMORY, "value": str(options.memory)}],
            "jobRoleArn": job_role,
            "executionRoleArn": execution_role,
            "resourceRequirements": [
                {"type": "VCPU", "value": options.vcpus},
                {"type": "MEMORY", "value": str(options.memory)},
            ],
            "networkConfiguration": {"assignPublicIp": "ENABLED"},
            "fargatePlatformConfiguration": {"platformVersion": "LATEST"},
            "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": architecture},
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": "job"},
            },
        },
    }


def _when_again() -> list[dict[str, str]]:
    """In this order: images that are bad stay bad, a wrong variable stays wrong; what was taken away is given anew."""
    return [
        {"onExitCode": "1", "action": _NOT_AGAIN},
        {"onExitCode": "2", "action": _NOT_AGAIN},
        {"onExitCode": "254", "action": _NOT_AGAIN},
        {"onStatusReason": "*", "action": _AGAIN},
    ]


def _active(context: Context, name: str) -> list[dict[str, Any]]:
    pages = context.aws.batch.get_paginator("describe_job_definitions").paginate(
        jobDefinitionName=name, status="ACTIVE"
    )
    return [dict(entry) for page in pages for entry in page["jobDefinitions"]]


def _newest_of_ours(context: Context, name: str) -> dict[str, Any] | None:
    standing = _active(context, name)
    ours = [present for present in standing if _is_ours(context, present)]
    if standing and not ours:
        raise refuse("job definition", name)
    return max(ours, key=lambda present: present["revision"], default=None)


def _is_ours(context: Context, present: dict[str, Any]) -> bool:
    return is_ours(context, present["jobDefinitionArn"], present.get("tags", {}))


def _holds(present: Any, wanted: Any) -> bool:
    """Whether all of `wanted` is in `present`, where AWS has added what was not said."""
    if isinstance(wanted, dict):
        return isinstance(present, dict) and all(_holds(present.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(present, list) and len(present) == len(wanted) and all(map(_holds, present, wanted))
    return bool(present == wanted)
