"""What a person does about images that failed and messages that died."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.deployed import Deployment, write_pictures
from tests.images import jpeg, photo, truncated
from tests.local_cloud_fixture import ROOT
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

JPEG = jpeg(photo((60, 40)), quality=95)


def kill_off(deployment: Deployment, *keys: str) -> None:
    """Put a message for each key into the dead-letter queue, as if it had been received five times."""
    resources, sqs = deployment.resources, deployment.cloud.client("sqs")
    for key in keys:
        body = {"bucket_name": resources["images-bucket"], "image_key": key, "force": True}
        sqs.send_message(QueueUrl=resources["dead-letter-queue"], MessageBody=json.dumps(body))


def dead_letters(deployment: Deployment) -> int:
    [facts] = deployment.json_lines("status.py")
    return int(facts["dead_letters"])


def done(deployment: Deployment, prefix: str) -> dict[str, str]:
    """When each image under `prefix` was processed."""
    text = f"SELECT ImageID, ProcessedAt FROM \"ImageMetadata\" WHERE begins_with(ImageID, '{prefix}')"
    return {row["ImageID"]: row["ProcessedAt"] for row in deployment.json_lines("query.py", text)}


def test_dead_letters_are_told_and_sent_back(deployment: Deployment):
    deployment.upload("dead/a.jpg", JPEG)
    before = eventually(lambda: done(deployment, "dead/a"))
    kill_off(deployment, "dead/a.jpg")

    told = deployment.json_lines("status.py", "--redrive", "--dry-run")

    assert [letter["images"] for letter in told] == [["dead/a.jpg"]]
    assert dead_letters(deployment) == 1 and done(deployment, "dead/a") == before

    sent = deployment.command("status.py", "--redrive")

    assert (sent.returncode, sent.stdout) == (0, "dead/a.jpg\n") and "1 dead letters sent back" in sent.stderr
    eventually(lambda: done(deployment, "dead/a") != before)
    assert dead_letters(deployment) == 0
    again = deployment.command("status.py", "--redrive")
    assert (again.returncode, again.stdout) == (0, "")


def test_a_redrive_that_is_killed_half_way_loses_nothing(deployment: Deployment):
    keys = [f"half-way/{number:02}.jpg" for number in range(25)]
    for key in keys:
        deployment.upload(key, JPEG)
    before = eventually(lambda: found if len(found := done(deployment, "half-way/")) == len(keys) else None)
    kill_off(deployment, *keys)
    environ = {name: value for name, value in deployment.cloud.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(
        [sys.executable, "status.py", "--redrive"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as redrive:
        for _ in range(7):
            redrive.stdout.readline()
        redrive.kill()

    # What the killed one had received is hidden for some seconds.
    def all_done():
        deployment.command("status.py", "--redrive")
        after = done(deployment, "half-way/")
        return all(after[key] != before[key] for key in keys)

    eventually(all_done, timeout=150)
    assert dead_letters(deployment) == 0


def test_images_that_failed_are_listed_with_code_and_reason_and_only_they_are_sent_again(deployment, tmp_path):
    folder = write_pictures(tmp_path, {"bad/fine.jpg": JPEG, "bad/cut.jpg": truncated(JPEG), "bad/text.jpg": b"text"})
    deployment.command("upload_folder_images.py", str(folder))
    before = done(deployment, "bad/")

    listed = [one for one in deployment.json_lines("status.py", "--failed") if one["image_id"].startswith("bad/")]
    again = deployment.json_lines("upload_folder_images.py", str(folder), "--failed")

    assert [(one["image_id"], one["code"]) for one in listed] == [
        ("bad/cut.jpg", "TRUNCATED_IMAGE"),
        ("bad/text.jpg", "INVALID_EXTENSION"),
    ]
    assert all(one["reason"] for one in listed)
    assert [(one["image"], one["outcome"]) for one in again] == [("bad/cut.jpg", "FAILED"), ("bad/text.jpg", "FAILED")]
    after = done(deployment, "bad/")
    assert {key for key in after if after[key] != before[key]} == {"bad/cut.jpg", "bad/text.jpg"}


def test_a_dry_run_of_nothing_is_wrong_use(deployment: Deployment):
    refused = deployment.command("status.py", "--dry-run")

    assert refused.returncode == 2 and "--redrive" in refused.stderr
