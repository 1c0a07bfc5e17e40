"""The jobs of AWS Batch as processes of this machine: stopped, out of keys, and with nobody who reads what they say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid

import pytest

from bulk.local_jobs import Ended, LocalJobs
from tests.images import jpeg, photo
from tests.meta.project import ROOT
from tests.waiting import eventually

OUT_OF_KEYS = """
import os, sys
print("Compressed 1/1 files.")
sys.exit(254 if os.environ["AWS_SESSION_TOKEN"] == "over" else 0)
"""


def test_a_job_whose_keys_are_over_is_started_again_with_keys_that_are_asked_for_anew():
    tokens = iter(["over", "over", "new"])
    jobs = LocalJobs(
        lambda: {**os.environ, "AWS_SESSION_TOKEN": next(tokens)},
        jobs=1,
        attempts=3,
        tell=lambda line: None,
        command=(sys.executable, "-c", OUT_OF_KEYS),
    )

    assert jobs.run([1]) == [Ended(1, 0, 1, 1)]


def test_who_interrupts_while_jobs_are_handed_out_stops_those_that_run():
    jobs = LocalJobs(
        lambda: os.environ,
        jobs=1,
        attempts=3,
        tell=lambda line: None,
        command=(sys.executable, "-c", "import time; time.sleep(60)"),
    )

    def interrupted():
        yield 1
        eventually(lambda: jobs.children)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.run(interrupted())

    assert jobs.children[1].returncode == -signal.SIGTERM


IMAGES = 12
COMMANDS = {
    "a job": ["bulk/compress_images.py", "--workers", "2"],
    "all jobs": ["bulk/run_file_list_locally.py", "s3://{photos}/list.json", "s3://{out}/o"],
}


@pytest.mark.local_cloud
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_reader_who_leaves_ends_no_work_and_changes_no_exit_code(local_cloud, tmp_path, command):
    mark, s3 = uuid.uuid4().hex[:8], local_cloud.client("s3")
    names = {"photos": f"photos-{mark}", "out": f"out-{mark}"}
    for bucket in names.values():
        s3.create_bucket(Bucket=bucket)
    for number in range(IMAGES):
        s3.put_object(Bucket=names["photos"], Key=f"{number}.jpg", Body=jpeg(photo((64, 48)), quality=95))
    # Those that fail come first, since each of them is told.
    images = [f"s3://{names['photos']}/{name}.jpg" for name in ["gone", "lost", *range(IMAGES)]]
    s3.put_object(Bucket=names["photos"], Key="list.json", Body=json.dumps({"batch_1": images}).encode())
    told = {"IN_BUCKET": names["photos"], "JSON_LOCATION": "list.json", "OUT_BUCKET": names["out"], "OUT_KEY": "o"}
    environ = {**local_cloud.environ, **told, "AWS_REGION": "us-east-1", "BATCH_JOB_KEY": "1"}

    process = subprocess.Popen(
        [sys.executable, *(word.format(**names) for word in command)],
        cwd=ROOT,
        env={**environ, "IMAGE_PIPELINE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    code = process.wait(120)

    key = f"o/_results/{names['photos']}/list.json/batch_1.json"
    kept = json.load(s3.get_object(Bucket=names["out"], Key=key)["Body"])
    assert code == 1
    assert (kept["compressed"], kept["failed"], kept["left"]) == (IMAGES, 2, 0)
