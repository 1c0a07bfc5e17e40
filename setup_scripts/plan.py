"""What a setup would make, change, delete and leave, read off the calls of a dry run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cli import console
from setup_scripts.dry_run import Call


class Fate(StrEnum):
    MADE = "made"
    CHANGED = "changed"
    DELETED = "deleted"
    LEFT = "left"


@dataclass
class Planned:
    """One resource: `calls`, those that change it, in AWS's words; whether it `stands` already; whether it `goes`."""

    kind: str
    name: str
    stands: bool = False
    goes: bool = False
    calls: list[str] = field(default_factory=list)

    @property
    def fate(self) -> Fate:
        if not self.calls:
            return Fate.LEFT
        if self.goes:
            return Fate.DELETED
        return Fate.CHANGED if self.stands else Fate.MADE


#: The parameter by which a request names a resource → the kind of the resource; the first one that is there counts.
_KINDS = {
    ("s3", "Key"): "page",
    ("s3", "Bucket"): "bucket",
    ("sqs", "QueueName"): "queue",
    ("sqs", "QueueUrl"): "queue",
    ("dynamodb", "TableName"): "table",
    ("dynamodb", "ResourceArn"): "table",
    ("iam", "RoleName"): "role",
    ("lambda", "FunctionName"): "function",
    ("lambda", "Resource"): "function",
    ("logs", "logGroupName"): "log group",
    ("ecr", "repositoryName"): "repository",
    ("batch", "computeEnvironmentName"): "compute environment",
    ("batch", "computeEnvironment"): "compute environment",
    ("batch", "jobQueueName"): "job queue",
    ("batch", "jobDefinitionName"): "job definition",
    ("cloudwatch", "AlarmName"): "alarm",
    ("cloudwatch", "AlarmNames"): "alarm",
    ("cloudwatch", "DashboardName"): "dashboard",
    ("cloudwatch", "DashboardNames"): "dashboard",
}
#: Operations after which the resource is gone; most that begin with Delete take a part of it.
_DELETING = ("DeleteAlarms", "DeleteDashboards", "DeleteEventSourceMapping", "DeleteFunction", "DeleteLogGroup")
#: An operation that finds things by listing them → the list, the kind of its entries, and what names an entry.
_LISTS = {
    "DescribeLogGroups": ("logGroups", "log group", "logGroupName"),
    "DescribeAlarms": ("MetricAlarms", "alarm", "AlarmName"),
    "DescribeRepositories": ("repositories", "repository", "repositoryName"),
    "DescribeComputeEnvironments": ("computeEnvironments", "compute environment", "computeEnvironmentName"),
    "DescribeJobQueues": ("jobQueues", "job queue", "jobQueueName"),
    "DescribeJobDefinitions": ("jobDefinitions", "job definition", "jobDefinitionName"),
}


@dataclass(frozen=True)
class Plan:
    """All resources of a deployment, in the order in which setup comes to them."""

    resources: tuple[Planned, ...]

    @classmethod
    def of(cls, calls: Iterable[Call]) -> Plan:
        """What these calls, those of one dry run, come to."""
        found: dict[tuple[str, str], Planned] = {}
        for call in calls:
            for kind, name in _concerned(call):
                planned = found.setdefault((kind, name), Planned(kind, name))
                if call.changes:
                    planned.calls.append(call.operation)
                    planned.goes = call.operation in _DELETING and "Qualifier" not in call.request
                elif call.answer is not None and not planned.calls:
                    planned.stands = True
        return cls(tuple(planned for planned in found.values() if planned.stands or planned.calls))

    def with_fate(self, fate: Fate) -> list[Planned]:
        return [planned for planned in self.resources if planned.fate is fate]

    def as_json(self) -> dict[str, Any]:
        """Fate → its resources."""
        return {
            fate: [{"kind": one.kind, "name": one.name, "calls": one.calls} for one in self.with_fate(fate)]
            for fate in Fate
        }

    def print(self) -> None:
        """A line for each resource; what would be called is told where something that stands would be changed."""
        kinds, names = (max((len(text) for text in column), default=0) for column in self._columns())
        for one in self.resources:
            calls = ", ".join(dict.fromkeys(one.calls)) if one.fate is Fate.CHANGED else ""
            console.result(f"{one.fate:<7}  {one.kind:<{kinds}}  {one.name:<{names}}  {calls}".rstrip())

    def _columns(self) -> tuple[list[str], list[str]]:
        return [one.kind for one in self.resources], [one.name for one in self.resources]


def _concerned(call: Call) -> Iterator[tuple[str, str]]:
    """Kind and name of each resource that a call is about."""
    request = call.request
    if call.operation in _LISTS:
        yield from _listed(call)
    elif "EventSourceMapping" in call.operation:
        # Its UUID tells nobody anything; each of our functions has one trigger.
        if "FunctionName" in request and (call.changes or _lists_any(call.answer)):
            yield "trigger", request["FunctionName"]
    elif call.service == "cloudfront":
        yield from _distributions(call)
    else:
        named = next((pair for pair in _KINDS if pair[0] == call.service and pair[1] in request), None)
        if named:
            value = request["Bucket" if named[1] == "Key" else named[1]]
            for name in value if isinstance(value, list) else [value]:
                yield _KINDS[named], _last(name)


def _listed(call: Call) -> Iterator[tuple[str, str]]:
    """Of what was listed, that which was asked for: a prefix finds other deployments, too."""
    entries, kind, name = _LISTS[call.operation]
    wanted = [value for one in call.request.values() for value in (one if isinstance(one, list) else [one])]
    for entry in (call.answer or {}).get(entries, []):
        if entry[name] in wanted:
            yield kind, entry[name]


def _lists_any(answer: Mapping[str, Any] | None) -> bool:
    return bool(answer and answer.get("EventSourceMappings"))


def _distributions(call: Call) -> Iterator[tuple[str, str]]:
    if call.operation == "CreateOriginAccessControl":
        yield "access control", call.request["OriginAccessControlConfig"]["Name"]
    elif call.operation == "CreateDistributionWithTags":
        yield "distribution", call.request["DistributionConfigWithTags"]["DistributionConfig"]["Comment"]


def _last(name: str) -> str:
    """The name in an ARN or in a queue's URL; a log group is named as a path."""
    if name.startswith(("arn:", "http")):
        return name.replace(":", "/").rsplit("/", 1)[-1]
    return name
