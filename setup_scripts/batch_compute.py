"""Where jobs of AWS Batch run: two compute environments of Fargate, Spot first, and the queue before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cli import names
from cli.exits import CommandError, Exit
from setup_scripts.batch_options import BatchOptions
from setup_scripts.context import Context
from setup_scripts.lookup import says
from setup_scripts.ownership import is_ours, leave, refuse

#: By the order in which the queue tries them: Spot costs a third, and may be taken away; the other one is there then.
ENVIRONMENTS = {names.BATCH_SPOT: "FARGATE_SPOT", names.BATCH_ON_DEMAND: "FARGATE"}
#: AWS Batch ends thousands of jobs, one after the other, before their queue is gone.
_PATIENTLY: Any = {"deadline": 3600.0, "pause": 5.0}
#: What it says of a thing that another one still holds, and of one that it is at work on.
_BUSY = ("relationship", "being modified")

_Find = Callable[[Context, str], dict[str, Any] | None]


def ensure_queue(context: Context, options: BatchOptions) -> str:
    """The ARN of the queue, with its compute environments behind it; CommandError where one of them is another's."""
    environments = [_ensure_environment(context, base, kind, options) for base, kind in ENVIRONMENTS.items()]
    queue = context.suffixed(names.BATCH_QUEUE)
    order: Any = [{"order": at, "computeEnvironment": name} for at, name in enumerate(environments, 1)]
    present = _standing(context, "job queue", queue, find_queue)
    if present is None:
        context.aws.batch.create_job_queue(
            jobQueueName=queue, state="ENABLED", priority=1, computeEnvironmentOrder=order, tags=context.tags
        )
        context.say(f"created: job queue {queue}")
    elif present["state"] != "ENABLED":
        # A teardown that died half-way left it so: it would take no job.
        context.aws.batch.update_job_queue(jobQueue=queue, state="ENABLED")
        context.say(f"updated: job queue {queue}")
    context.until(lambda: _is_valid(find_queue(context, queue)), what=f"job queue {queue} is not ready")
    present = find_queue(context, queue)
    return str(present["jobQueueArn"]) if present else ""


def delete_queue(context: Context) -> None:
    """Jobs that are in it end. Queue first: an environment with a queue before it cannot go."""
    batch = context.aws.batch
    queue = context.suffixed(names.BATCH_QUEUE)
    _take_away(
        context,
        "job queue",
        queue,
        find_queue,
        switch_off=lambda: batch.update_job_queue(jobQueue=queue, state="DISABLED"),
        delete=lambda: batch.delete_job_queue(jobQueue=queue),
    )
    for base in ENVIRONMENTS:
        _delete_environment(context, context.suffixed(base))


def find_queue(context: Context, queue: str) -> dict[str, Any] | None:
    found = context.aws.batch.describe_job_queues(jobQueues=[queue])["jobQueues"]
    return next((dict(entry) for entry in found if entry.get("status") != "DELETED"), None)


def find_environment(context: Context, name: str) -> dict[str, Any] | None:
    found = context.aws.batch.describe_compute_environments(computeEnvironments=[name])["computeEnvironments"]
    return next((dict(entry) for entry in found if entry.get("status") != "DELETED"), None)


def _ensure_environment(context: Context, base: str, kind: str, options: BatchOptions) -> str:
    name = context.suffixed(base)
    present = _standing(context, "compute environment", name, find_environment)
    if present is None:
        resources: Any = {"type": kind, "maxvCpus": options.max_vcpus, **_network(context, options)}
        context.aws.batch.create_compute_environment(
            computeEnvironmentName=name, type="MANAGED", state="ENABLED", computeResources=resources, tags=context.tags
        )
        context.say(f"created: compute environment {name}")
    elif change := _change(context, present, options):
        context.aws.batch.update_compute_environment(computeEnvironment=name, **change)
        context.say(f"updated: compute environment {name}")
    context.until(lambda: _is_valid(find_environment(context, name)), what=f"compute environment {name} is not ready")
    return name


def _standing(context: Context, kind: str, name: str, find: _Find) -> dict[str, Any] | None:
    """What stands of this name, once nothing is on its way out; CommandError where it is another's."""
    present = find(context, name)
    if present is None:
        return None
    if present.get("status") == "DELETING":
        context.until(lambda: find(context, name) is None, what=f"{kind} {name} is still being deleted", **_PATIENTLY)
        return None
    if not _is_ours(context, name, present):
        raise refuse(kind, name)
    return present


def _is_ours(context: Context, name: str, present: dict[str, Any]) -> bool:
    return is_ours(context, name, present.get("tags", {}))


def _change(context: Context, present: dict[str, Any], options: BatchOptions) -> dict[str, Any]:
    """What differs from what is wanted. Where no subnets are named, those that stand are right."""
    resources = present["computeResources"]
    change: dict[str, Any] = {} if resources["maxvCpus"] == options.max_vcpus else {"maxvCpus": options.max_vcpus}
    if options.subnets and set(options.subnets) != set(resources["subnets"]):
        change |= _network(context, options)
    wanted = {"computeResources": change} if change else {}
    # A teardown that died half-way left it disabled.
    return wanted if present["state"] == "ENABLED" else {**wanted, "state": "ENABLED"}


def _delete_environment(context: Context, name: str) -> None:
    batch = context.aws.batch
    _take_away(
        context,
        "compute environment",
        name,
        find_environment,
        switch_off=lambda: batch.update_compute_environment(computeEnvironment=name, state="DISABLED"),
        delete=lambda: batch.delete_compute_environment(computeEnvironment=name),
    )


def _take_away(
    context: Context,
    kind: str,
    name: str,
    find: _Find,
    *,
    switch_off: Callable[[], object],
    delete: Callable[[], object],
) -> None:
    """AWS Batch deletes what is switched off, at rest, and held by nothing else."""
    present = find(context, name)
    if present is None:
        return
    if not _is_ours(context, name, present):
        return leave(context, kind, name)
    if present["state"] == "ENABLED":
        context.settled(switch_off, not_yet=_is_busy, **_PATIENTLY)
    context.until(lambda: _is_at_rest(find(context, name)), what=f"{kind} {name} is still being changed", **_PATIENTLY)
    # One that was on its way out already is gone by now.
    context.settled(lambda: find(context, name) and delete(), not_yet=_is_busy, **_PATIENTLY)
    context.until(lambda: find(context, name) is None, what=f"{kind} {name} is still there", **_PATIENTLY)
    context.say(f"deleted: {kind} {name}")


def _is_busy(error: Exception) -> bool:
    return says(error, *_BUSY)


def _is_valid(present: dict[str, Any] | None) -> bool:
    if present is None:
        return False
    if present.get("status") == "INVALID":
        raise CommandError(f"AWS Batch: {present.get('statusReason', 'it is invalid')}", Exit.REFUSED)
    return present.get("status") == "VALID"


def _is_at_rest(present: dict[str, Any] | None) -> bool:
    """Whether it takes a delete, or is gone; what is invalid must be deleted as well."""
    return present is None or present.get("status") in ("VALID", "INVALID")


def _network(context: Context, options: BatchOptions) -> dict[str, list[str]]:
    """Subnets, and the default security group of their VPC, which lets everything out and nothing in."""
    ec2 = context.aws.ec2
    wanted: Any = (
        {"SubnetIds": list(options.subnets)} if options.subnets else {"Filters": _filter("vpc-id", _vpc(context))}
    )
    subnets = ec2.describe_subnets(**wanted)["Subnets"]
    vpcs = {subnet["VpcId"] for subnet in subnets}
    if len(vpcs) != 1:
        raise CommandError("the subnets must lie in one VPC: name others with --batch-subnets")
    groups = ec2.describe_security_groups(Filters=[*_filter("vpc-id", *vpcs), *_filter("group-name", "default")])
    return {
        "subnets": [subnet["SubnetId"] for subnet in subnets],
        "securityGroupIds": [group["GroupId"] for group in groups["SecurityGroups"]],
    }


def _vpc(context: Context) -> str:
    found = context.aws.ec2.describe_vpcs(Filters=_filter("is-default", "true"))["Vpcs"]
    if not found:
        text = f"region {context.aws.target.region} has no default VPC: `aws ec2 create-default-vpc` makes one"
        raise CommandError(f"{text}, or name subnets with --batch-subnets", Exit.REFUSED)
    return found[0]["VpcId"]


def _filter(name: str, *values: str) -> Any:
    return [{"Name": name, "Values": list(values)}]
