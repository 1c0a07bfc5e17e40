"""The image service as PM2's users run it: by the targets of the Makefile and by the commands that were printed."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.images import jpeg, photo
from tests.local_cloud_fixture import ROOT, LocalCloud
from tests.mongo_server import MongoServer, running_mongo
from tests.waiting import eventually
from tests.web import Web, running_web

pytestmark = pytest.mark.local_cloud

JPEG = jpeg(photo((400, 300)), quality=90)
CONSUMER = "python -m imageservice.ports.workers.image_resizing_consumer -w 1"


@dataclass
class Pm2:
    """A PM2 of its own: its programs, its daemon and its logs are in `folder`."""

    program: str
    folder: Path
    environ: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def make(self, target: str) -> None:
        """`make`, in a checkout whose virtual environment is the one that runs the tests."""
        self.run("make", "--no-print-directory", target, f"PM2={self.program}", "READY=")

    def list(self) -> dict[str, dict[str, Any]]:
        listed = self.run(self.program, "jlist").stdout
        return {one["name"]: one for one in json.loads(listed[listed.index("[") :])}

    def status(self, name: str) -> str:
        return str(self.list().get(name, {}).get("pm2_env", {}).get("status", "absent"))

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.folder / "logs").glob("*.log")))


@dataclass
class Service:
    pm2: Pm2
    web: Web
    mongo: MongoServer
    sqs: Any
    queue_url: str

    def send(self, **message: Any) -> None:
        given = {"image_url": f"{self.web.address}/a.jpg", "postback_url": f"{self.web.address}/postback", **message}
        own = uuid4().hex
        self.sqs.send_message(
            QueueUrl=self.queue_url, MessageBody=json.dumps(given), MessageGroupId=own, MessageDeduplicationId=own
        )


@pytest.fixture(scope="module")
def program() -> str:
    found = ROOT / ".npm-pm2" / "node_modules" / ".bin" / "pm2"
    if found.exists():
        return str(found)
    give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    give_up("PM2 is not installed; `make test` installs it where there is npm")


@pytest.fixture
def service(program: str, local_cloud: LocalCloud, tmp_path: Path) -> Iterator[Service]:
    own = uuid4().hex[:8]
    sqs, s3 = local_cloud.client("sqs"), local_cloud.client("s3")
    queue_url = sqs.create_queue(QueueName=f"ImageQueue-{own}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    s3.create_bucket(Bucket=f"images-{own}")
    with running_web() as web, running_mongo() as mongo:
        web.pages["/a.jpg"] = JPEG
        told = {
            "QUEUE_URL": queue_url,
            "IMAGES_BUCKET": f"images-{own}",
            "MONGO_URL": mongo.url,
            "PM2_HOME": str(tmp_path / "pm2"),
            "IMAGE_SERVICE_PYTHON": sys.executable,
            "PATH": f"{_poetry(tmp_path)}:{os.environ['PATH']}",
        }
        pm2 = Pm2(program, tmp_path / "pm2", {**local_cloud.environ, **web.environ, **told})
        try:
            yield Service(pm2, web, mongo, sqs, queue_url)
        finally:
            pm2.run(program, "kill")


def _poetry(folder: Path) -> Path:
    """A folder with a `poetry` whose environment is the one that runs the tests."""
    script = folder / "bin" / "poetry"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script.parent


def test_the_consumer_is_started_restarted_and_stopped_by_make(service: Service):
    pm2, web = service.pm2, service.web

    pm2.make("pm2-image-consumer")
    service.send(number=1)
    eventually(lambda: web.posted)
    first = pm2.list()["image-consumer"]["pid"]
    pm2.make("pm2-restart-image-consumer")
    service.send(number=2)
    eventually(lambda: len(web.posted) > 1)
    second = pm2.list()["image-consumer"]["pid"]
    pm2.make("pm2-delete-image-consumer")

    assert [posted.body["number"] for posted in web.posted] == [1, 2]
    assert first != second and pm2.status("image-consumer") == "absent"
    assert pm2.log().count("Graceful exit.") == 2 and '"level": "DEBUG"' not in pm2.log()


def test_a_consumer_that_dies_is_started_again(service: Service):
    service.pm2.make("pm2-image-consumer")
    pid = service.pm2.list()["image-consumer"]["pid"]

    os.kill(pid, 9)
    service.send()

    eventually(lambda: service.web.posted)
    assert service.pm2.list()["image-consumer"]["pm2_env"]["restart_time"] == 1


@pytest.mark.parametrize(("short", "collection"), [("channel", "channel"), ("episodes", "episodes")])
def test_a_scan_runs_at_once_and_every_day_at_one_until_it_is_deleted(service: Service, short: str, collection: str):
    service.mongo.database[collection].insert_one({"_id": 1, "image_url": f"{service.web.address}/a.jpg"})
    name = f"resize-image-from-{short}"

    service.pm2.make(f"pm2-script-resize-images-from-{short}")
    eventually(lambda: service.pm2.status(name) == "stopped")
    settings = service.pm2.list()[name]["pm2_env"]
    service.pm2.make(f"pm2-delete-script-resize-images-from-{short}")

    assert (settings["cron_restart"], settings["autorestart"], settings["exit_code"]) == ("0 1 * * *", False, 0)
    assert settings["ENVIRONMENT"] == "PRODUCTION" and service.pm2.status(name) == "absent"
    [message] = service.sqs.receive_message(QueueUrl=service.queue_url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"])["image_url"] == f"{service.web.address}/a.jpg"


def test_the_printed_commands_work_as_printed(service: Service):
    pm2 = service.pm2
    scan = "export ENVIRONMENT=PRODUCTION && poetry run python -m scripts.resize_images_from_channel_collection"
    options = ("--no-autorestart", "--cron", "0 1 * * *", "--name", "resize-image-from-channel")
    service.mongo.database.channel.insert_one({"_id": 1, "image_url": f"{service.web.address}/a.jpg"})

    pm2.run(pm2.program, "start", scan, *options)
    eventually(lambda: pm2.status("resize-image-from-channel") == "stopped")
    told = f"export QUEUE_URL={service.queue_url} && export LEVEL=INFO"
    pm2.run(pm2.program, "start", f"{told} && poetry run {CONSUMER}", "--name", "image-consumer")
    service.send()
    eventually(lambda: service.web.posted and pm2.log().count('"outcome": "DONE"') == 2)
    pm2.run(pm2.program, "delete", "resize-image-from-channel")
    pm2.run(pm2.program, "delete", "image-consumer")

    assert pm2.list() == {}
    # The channel's message was answered as well: its queue, ChannelImages, does not exist.
    assert "no such queue" in pm2.log() and '"level": "DEBUG"' not in pm2.log()


def test_without_pm2_the_targets_say_how_to_get_it():
    make = shutil.which("make") or pytest.skip("no make")

    ended = subprocess.run(
        [make, "pm2-delete-image-consumer", "PM2=no-such-program"], cwd=ROOT, capture_output=True, text=True
    )

    assert ended.returncode and "npm install -g pm2" in ended.stderr
