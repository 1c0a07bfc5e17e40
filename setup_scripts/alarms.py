"""What is worth waking somebody for, as CloudWatch wants it said: pure functions from names to requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: Seconds over which metrics are summed, and how long the oldest message may have waited: two tries of a whole batch.
PERIOD = 300
OLDEST_MESSAGE = 1800


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What a deployment has to watch, by the names that its metrics carry.

    `queues`: a queue and its dead letters, by what the names of their alarms say of them. `functions`: the one that
    processes images comes first.
    """

    queues: Mapping[str, tuple[str, str]]
    functions: tuple[str, ...]


def alarms(prefix: str, watched: Watched) -> Iterator[dict[str, Any]]:
    """The alarms of one deployment, but for tags; `prefix` begins their names."""
    for which, (queue, dead_letters) in watched.queues.items():
        yield from _queue_alarms(f"{prefix}{which}", queue, dead_letters)
    for function in watched.functions:
        yield from _function_alarms(prefix, function)


def _queue_alarms(prefix: str, queue: str, dead_letters: str) -> Iterator[dict[str, Any]]:
    yield _alarm(
        f"{prefix}-dead-letters",
        "Messages that failed five times. See: python status.py --redrive --dry-run",
        _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", dead_letters),
        Statistic="Maximum",
    )
    yield _alarm(
        f"{prefix}-oldest-message",
        f"A message has waited for more than {OLDEST_MESSAGE // 60} minutes. See: python status.py",
        _metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue),
        Statistic="Maximum",
        Threshold=OLDEST_MESSAGE,
    )


def _function_alarms(prefix: str, function: str) -> Iterator[dict[str, Any]]:
    yield _alarm(
        f"{prefix}-errors-{function}",
        f"{function} died, ran out of time or raised: a bad image is no error. See its log",
        _metric("AWS/Lambda", "Errors", "FunctionName", function),
        Statistic="Sum",
    )
    # Once is nothing: Lambda tries again. Twice in a quarter of an hour means that the account has too few.
    yield _alarm(
        f"{prefix}-throttles-{function}",
        f"{function} was called more often than the account lets it run at once",
        _metric("AWS/Lambda", "Throttles", "FunctionName", function),
        Statistic="Sum",
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
    )


def _alarm(name: str, description: str, metric: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmDescription": description,
        **metric,
        "Period": PERIOD,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        # Queues and functions that rest report nothing.
        "TreatMissingData": "notBreaching",
        **more,
    }


def _metric(namespace: str, name: str, dimension: str, value: str) -> dict[str, Any]:
    return {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": dimension, "Value": value}]}
