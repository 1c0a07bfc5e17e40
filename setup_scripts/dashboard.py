"""The one dashboard of a deployment: what happens to images, queue and functions, and the alarms on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from setup_scripts.alarms import PERIOD, Watched

#: As lambda_function/handler.py counts them.
NAMESPACE = "ImagePipeline"
OUTCOMES = ("DONE", "SKIPPED", "REMOVED", "FAILED", "REJECTED", "RETRY", "BUG")
_WIDTH, _HEIGHT = 12, 6


def dashboard(region: str, watched: Watched, alarm_arns: Sequence[str]) -> dict[str, Any]:
    """Its body."""
    processing, queues = watched.functions[0], watched.queues.values()
    by_code = f"SEARCH('{{{NAMESPACE},service,code}} service=\"{processing}\"', 'Sum', {PERIOD})"
    graphs = [
        _graph("Images by outcome", [[NAMESPACE, outcome, "service", processing] for outcome in OUTCOMES], "Sum"),
        _graph("Failures by code", [[{"expression": by_code, "label": ""}]], "Sum"),
        _graph("Messages", [line for queue, dead_letters in queues for line in _messages(queue, dead_letters)]),
        _graph("Age of the oldest message, seconds", [_age(queue) for queue, _ in queues]),
        _graph(
            "Milliseconds of a call, 95 of 100 are quicker",
            [_function(one, "Duration") for one in watched.functions],
            "p95",
        ),
        _graph(
            "Errors and throttles",
            [_function(one, what) for one in watched.functions for what in ("Errors", "Throttles")],
            "Sum",
        ),
    ]
    alarms = {"type": "alarm", "properties": {"title": "Alarms", "alarms": list(alarm_arns)}}
    placed = [{**alarms, "x": 0, "y": 0, "width": 2 * _WIDTH, "height": 3}]
    for number, graph in enumerate(graphs):
        graph["properties"]["region"] = region
        row, column = divmod(number, 2)
        placed.append({**graph, "x": column * _WIDTH, "y": 3 + row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT})
    return {"widgets": placed}


def _graph(title: str, metrics: list[list[Any]], stat: str = "Maximum") -> dict[str, Any]:
    properties = {"title": title, "metrics": metrics, "stat": stat, "period": PERIOD, "view": "timeSeries"}
    return {"type": "metric", "properties": properties}


def _messages(queue: str, dead_letters: str) -> list[list[Any]]:
    lines = ((queue, "Visible"), (queue, "NotVisible"), (dead_letters, "Visible"))
    return [["AWS/SQS", f"ApproximateNumberOfMessages{which}", "QueueName", name] for name, which in lines]


def _age(queue: str) -> list[Any]:
    return ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue]


def _function(function: str, metric: str) -> list[Any]:
    return ["AWS/Lambda", metric, "FunctionName", function]
