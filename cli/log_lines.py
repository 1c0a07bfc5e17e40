"""What the processing function logged about one image."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

#: Characters that mean themselves in a filter pattern, which may have 1,024 of them: "Filter pattern syntax for metric
#: filters, subscription filters, filter log events" in the CloudWatch Logs guide.
_PLAIN = re.compile(r"[A-Za-z0-9/._ -]{0,900}")


def log_lines(logs: CloudWatchLogsClient, group: str, key: str) -> list[dict[str, Any]]:
    """The lines about the image `key`, as they were logged, the oldest first."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern(key))
    events = [event for page in pages for event in page["events"]]
    return [
        line for event in sorted(events, key=lambda one: one["timestamp"]) for line in _about(key, event["message"])
    ]


def pattern(key: str) -> str:
    """Finds the lines about `key`, perhaps others too: a wildcard stands for what CloudWatch may read otherwise."""
    plain = _PLAIN.match(key)
    begin = plain[0] if plain else ""
    return f'{{ $.key = "{begin}{"" if begin == key else "*"}" }}'


def _about(key: str, message: str) -> Iterator[dict[str, Any]]:
    try:
        line = json.loads(message)
    except ValueError:
        return
    if isinstance(line, dict) and line.get("key") == key:
        yield line
