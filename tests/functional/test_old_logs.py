"""The local cloud keeps the newest lines of each group of logs, and is no larger for what was logged before."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from local_cloud.old_logs import MOST_LINES
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud
GROUP = "/aws/lambda/talkative"


def put(logs, stream, times):
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    logs.put_log_events(
        logGroupName=GROUP,
        logStreamName=stream,
        logEvents=[{"timestamp": at, "message": f"{stream} {at}"} for at in times],
    )


def lines(logs):
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    return [event["message"] for page in pages for event in page["events"]]


def test_only_the_newest_lines_of_a_group_are_kept(local_cloud):
    logs = local_cloud.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    now = int(time.time() * 1000) - 20_000
    put(logs, "old", range(now, now + 1000))
    oldest = logs.filter_log_events(logGroupName=GROUP, limit=1)["events"][0]["eventId"]
    put(logs, "middle", range(now + 1000, now + 2000))
    put(logs, "new", range(now + 2000, now + 2000 + MOST_LINES - 500))

    left = eventually(lambda: found if len(found := lines(logs)) <= MOST_LINES else [])

    assert len(left) == MOST_LINES
    assert left[0] == f"middle {now + 1500}" and left[-1] == f"new {now + 1499 + MOST_LINES}"
    with pytest.raises(ClientError, match="Invalid logRecordPointer"):
        logs.get_log_record(logRecordPointer=oldest)


def test_a_group_that_is_small_keeps_all(local_cloud):
    logs = local_cloud.client("logs")
    quiet = "/aws/lambda/quiet"
    logs.create_log_group(logGroupName=quiet)
    logs.create_log_stream(logGroupName=quiet, logStreamName="a")
    at = int(time.time() * 1000)
    logs.put_log_events(logGroupName=quiet, logStreamName="a", logEvents=[{"timestamp": at, "message": "one"}])
    time.sleep(4)

    assert [event["message"] for event in logs.filter_log_events(logGroupName=quiet)["events"]] == ["one"]
