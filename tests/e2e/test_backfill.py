"""A bucket that was full before the pipeline came: sent through queue and function, killed half-way, sent again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.deployed import Deployment
from tests.images import jpeg, photo, truncated
from tests.local_cloud_fixture import ROOT
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

JPEG = jpeg(photo((120, 80)), quality=95)


@contextmanager
def without_events(deployment: Deployment) -> Iterator[None]:
    """What is put meanwhile is in the bucket as if it had been there before the pipeline."""
    s3, bucket = deployment.cloud.client("s3"), deployment.resources["images-bucket"]
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)
    kept.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)


def fill(deployment: Deployment, prefix: str, count: int) -> list[str]:
    s3, bucket = deployment.cloud.client("s3"), deployment.resources["images-bucket"]
    keys = [f"{prefix}été {number:03} + %.jpg" for number in range(count)]
    with without_events(deployment):
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=JPEG)
    return keys


def records(deployment: Deployment, prefix: str) -> dict[str, dict[str, str]]:
    query = f"SELECT ImageID, Outcome, ProcessedAt FROM \"ImageMetadata\" WHERE begins_with(ImageID, '{prefix}')"
    return {row["ImageID"]: row for row in deployment.json_lines("query.py", query)}


def told(deployment: Deployment, *options: str) -> dict[str, int]:
    done = deployment.command("bulk/backfill.py", "--json", *options)
    assert done.returncode == 0, done.stderr
    facts: dict[str, int] = json.loads(done.stdout)
    return facts


def test_what_was_there_before_is_processed_like_new_uploads_and_a_second_run_sends_nothing(deployment: Deployment):
    keys = fill(deployment, "before/", 25)

    dry = told(deployment, "--prefix", "before/", "--dry-run")
    assert (dry["sent"], dry["listed"]) == (25, 25) and dry["total"] > 0
    assert records(deployment, "before/") == {}

    assert told(deployment, "--prefix", "before/")["sent"] == 25
    eventually(lambda: len(records(deployment, "before/")) == 25)

    assert {row["Outcome"] for row in records(deployment, "before/").values()} == {"DONE"}
    assert sorted(records(deployment, "before/")) == keys
    again = told(deployment, "--prefix", "before/")
    assert (again["sent"], again["done"]) == (0, 25)


def test_a_run_that_is_killed_goes_on_where_it_was_and_leaves_room_in_the_queue_all_the_time(deployment: Deployment):
    fill(deployment, "killed/", 45)
    command = [sys.executable, "bulk/backfill.py", "--prefix", "killed/", "--queue-depth", "20"]
    environ = {name: value for name, value in deployment.cloud.environ.items() if not name.startswith("AWS_")}
    running = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    try:
        seen = depths_until(deployment, lambda: len(records(deployment, "killed/")) >= 10)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()

    done = deployment.command("bulk/backfill.py", "--prefix", "killed/", "--json")

    assert max(seen) <= 20
    assert done.returncode == 0 and "Going on after" in done.stderr
    assert json.loads(done.stdout)["listed"] == 45
    eventually(lambda: len(records(deployment, "killed/")) == 45)
    assert {row["Outcome"] for row in records(deployment, "killed/").values()} == {"DONE"}


def depths_until(deployment: Deployment, reached) -> list[int]:
    """How many messages waited each time they were counted, until `reached`."""
    sqs, url = deployment.cloud.client("sqs"), deployment.resources["messages-queue"]
    seen, deadline = [0], time.monotonic() + 90
    while not reached():
        assert time.monotonic() < deadline
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        seen.append(int(counts["Attributes"]["ApproximateNumberOfMessages"]))
    return seen


def test_what_failed_is_sent_again_on_demand_only(deployment: Deployment):
    deployment.upload("again/cut.jpg", truncated(JPEG))
    before = eventually(lambda: records(deployment, "again/"))["again/cut.jpg"]
    assert before["Outcome"] == "FAILED"

    left = told(deployment, "--prefix", "again/")
    sent = told(deployment, "--prefix", "again/", "--failed")

    assert (left["sent"], left["failed"], sent["sent"]) == (0, 1, 1)
    eventually(lambda: records(deployment, "again/")["again/cut.jpg"]["ProcessedAt"] > before["ProcessedAt"])
