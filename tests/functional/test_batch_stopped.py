"""SIGTERM, as Fargate sends it when it takes a machine away: a checkpoint and exit code 143, in time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid

import pytest

from tests.images import jpeg, photo
from tests.meta.project import ROOT
from tests.torture.fault_proxy import fault_proxy
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

IMAGES = 40


@pytest.fixture
def job(local_cloud):
    """Buckets with a list of one batch, and how its job is started with an address of S3."""
    mark = uuid.uuid4().hex[:8]
    s3, names = local_cloud.client("s3"), [f"s3://photos-{mark}/{number}.jpg" for number in range(IMAGES)]
    for bucket in ("photos", "out"):
        s3.create_bucket(Bucket=f"{bucket}-{mark}")
    for number in range(IMAGES):
        s3.put_object(Bucket=f"photos-{mark}", Key=f"{number}.jpg", Body=jpeg(photo((64, 48)), quality=95))
    s3.put_object(Bucket=f"photos-{mark}", Key="list.json", Body=json.dumps({"batch_1": names}).encode())
    told = {"IN_BUCKET": f"photos-{mark}", "JSON_LOCATION": "list.json", "OUT_BUCKET": f"out-{mark}", "OUT_KEY": "o"}

    def start(address):
        environ = {**os.environ, **local_cloud.environ, **told, "AWS_ENDPOINT_URL": address}
        environ |= {"AWS_REGION": "us-east-1", "BATCH_JOB_KEY": "1", "AWS_BATCH_JOB_ID": "job"}
        command = [sys.executable, "bulk/compress_images.py", "--workers", "2"]
        return subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def results():
        key = f"o/_results/photos-{mark}/list.json/batch_1.json"
        return json.load(s3.get_object(Bucket=f"out-{mark}", Key=key)["Body"])

    return start, results


def test_a_job_that_is_told_to_stop_keeps_what_it_has_and_says_143(job, local_cloud):
    start, results = job
    puts = []

    def note(call):
        if call.operation == "PutObject":
            puts.append(call.key)

    with fault_proxy(local_cloud.port, lambda call: "delayed", note) as address:
        process = start(address)
        eventually(lambda: puts)
        process.terminate()
        said, told = process.communicate(timeout=60)

    kept = results()
    assert process.returncode == 143, told
    assert kept["stopped"] and 0 < kept["compressed"] < IMAGES
    assert kept["left"] == IMAGES - kept["compressed"]
    assert said.splitlines()[-1] == f"Compressed {kept['compressed']}/{IMAGES} files."


def test_a_job_is_over_within_25_seconds_whatever_hangs(job, local_cloud, full_torture):
    if not full_torture:
        pytest.skip("takes half a minute: --torture=full")
    start, _ = job
    hanging, over = threading.Event(), threading.Event()

    def hang(call):
        if "photos" not in call.key and call.operation == "GetObject" and call.key.endswith(".jpg"):
            hanging.set()
            over.wait(60)

    with fault_proxy(local_cloud.port, hang) as address:
        process = start(address)
        assert hanging.wait(60)
        process.terminate()
        started = time.monotonic()
        code = process.wait(60)
        took = time.monotonic() - started
        over.set()
    process.communicate()

    assert (code, took < 25) == (143, True)
