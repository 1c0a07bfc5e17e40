"""The local cloud killed in the middle of an upload: uploading the same folder again completes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from local_cloud.lock import holder
from tests.deployed import write_pictures
from tests.images import jpeg, photo
from tests.local_cloud_fixture import ROOT
from tests.torture.deployment import tortured_deployment
from tests.torture.results import Results
from tests.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud, pytest.mark.timeout(1200)]


def test_an_upload_that_the_local_cloud_died_in_is_completed_by_the_next(tmp_path, full_torture, results: Results):
    kills, rng = (10 if full_torture else 1), random.Random(11)
    pictures = {f"{number:03}.jpg": jpeg(photo((40, 32 + number)), quality=95) for number in range(60)}
    folder = write_pictures(tmp_path / "pictures", pictures)
    with tortured_deployment(tmp_path / "home") as tortured:
        deployment, lock = tortured.deployment, tmp_path / "home" / ".local_cloud" / "server.lock"
        environ = {name: value for name, value in deployment.cloud.environ.items() if not name.startswith("AWS_")}
        for _ in range(kills):
            with subprocess.Popen(
                [sys.executable, "upload_folder_images.py", str(folder), "--force"],
                cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            ) as upload:  # fmt: skip
                time.sleep(rng.uniform(2.0, 5.0))
                running = holder(lock)
                assert running is not None
                os.kill(running.pid, signal.SIGKILL)
                eventually(lambda: holder(lock) is None)
                upload.kill()
            deployment.cloud.start()

        done = deployment.command("upload_folder_images.py", str(folder))

        assert done.returncode == 0, done.stdout + done.stderr
        tortured.wait_until_idle(timeout=120)
        assert tortured.wrongs(dict.fromkeys(pictures, "DONE")) == []
        results.say(seed=11, kills=kills, images=len(pictures), lost=0, orphaned_outputs=0)
