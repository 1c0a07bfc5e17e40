"""A deployment of an earlier version becomes one of this version while images arrive, and none of them is lost."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deployed import Deployment
from tests.images import jpeg, photo
from tests.local_cloud_fixture import ROOT, LocalCloud, running_local_cloud
from tests.meta.project import files
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

#: A commit of the history of main: the last one before setup.py could plan, and before tables got new indexes.
EARLIER = "6fe3edb550c0d8d620fed36b1635fc230371a4dc"
BEFORE = 40
#: Seconds between images that arrive during the upgrade.
PACE = 0.05


#: The local cloud kills functions whose code is replaced. Their messages come back after this many seconds instead of
#: the 720 of a real deployment, for which no test can wait.
VISIBILITY = 60
#: Nor for outputs that a killed function has left under the keys of the earlier version: the message of their image
#: comes back until they are one and a half times as old as this, or as the 120 of a real deployment.
FUNCTION_TIMEOUT = 40


def impatient(folder: Path) -> Path:
    shorten(folder / "setup_scripts" / "create_sqs_queue.py", "VISIBILITY_TIMEOUT = 720\n", VISIBILITY)
    shorten(folder / "setup_scripts" / "functions.py", "    timeout=120,\n", FUNCTION_TIMEOUT)
    return folder


def shorten(path: Path, line: str, seconds: int) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(line) == 1
    path.write_text(text.replace(line, re.sub(r"\d+", str(seconds), line)), encoding="utf-8")


@pytest.fixture(scope="module")
def earlier(tmp_path_factory) -> Path:
    """The files of the earlier version, out of the history; a clone without it cannot run this test, and says so."""
    archived = subprocess.run(["git", "archive", EARLIER], cwd=ROOT, capture_output=True, check=False)
    if archived.returncode:
        pytest.fail(f"{archived.stderr.decode().strip()}: fetch the whole history with `git fetch --unshallow`")
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return impatient(folder)


@pytest.fixture(scope="module")
def present(tmp_path_factory) -> Path:
    """The files of this version, changes that are not committed included."""
    folder = tmp_path_factory.mktemp("present")
    for path in files():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return impatient(folder)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory, earlier) -> Iterator[Deployment]:
    """What the earlier version's own programs have set up."""
    with running_local_cloud(tmp_path_factory.mktemp("upgrade")) as cloud:
        run_setup(cloud, earlier, "--local")
        yield Deployment(cloud)


def run_setup(cloud: LocalCloud, version: Path, *arguments: str) -> str:
    """Run a version's own setup.py; what it printed."""
    environ = {name: value for name, value in cloud.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "setup.py", *arguments], cwd=version, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Arriving(threading.Thread):
    """Images that go on arriving until somebody says stop; `keys` are those that have arrived."""

    def __init__(self, deployment: Deployment, data: bytes) -> None:
        super().__init__(daemon=True)
        self.keys: list[str] = []
        self._stopped = threading.Event()
        self._bucket, self._s3, self._data = deployment.resources["images-bucket"], deployment.cloud.client("s3"), data

    def run(self) -> None:
        while not self._stopped.wait(PACE):
            key = f"during/{len(self.keys):03}.jpg"
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=self._data)
            self.keys.append(key)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def waiting(deployment: Deployment, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = deployment.resources[queue]
    answer = deployment.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(value) for value in answer["Attributes"].values())


@contextmanager
def nothing_taken(deployment: Deployment) -> Iterator[None]:
    """Messages wait, however quick the machine is: the function is given none."""
    functions = deployment.cloud.client("lambda")
    [mapping] = functions.list_event_source_mappings(EventSourceArn=deployment.resources["messages-queue-arn"])[
        "EventSourceMappings"
    ]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextmanager
def arriving_at(deployment: Deployment, data: bytes) -> Iterator[Arriving]:
    arriving = Arriving(deployment, data)
    arriving.start()
    try:
        yield arriving
    finally:
        arriving.stop()


def outcomes(deployment: Deployment) -> dict[str, str]:
    items = deployment.json_lines("query.py", 'SELECT * FROM "ImageMetadata"')
    return {item["ImageID"]: item["Outcome"] for item in items}


def code_of(deployment: Deployment) -> set[str]:
    return {one["CodeSha256"] for one in deployment.cloud.client("lambda").list_functions()["Functions"]}


def planned(deployment: Deployment, version: Path) -> dict[str, dict[str, set[str]]]:
    """Made, changed and left → the kinds of the resources → the calls that change them."""
    plan = json.loads(run_setup(deployment.cloud, version, "--dry-run", "--json"))
    found: dict[str, dict[str, set[str]]] = {fate: {} for fate in plan}
    for fate, resources in plan.items():
        for one in resources:
            found[fate].setdefault(one["kind"], set()).update(one["calls"])
    return found


@pytest.mark.timeout(900)
def test_an_upgrade_loses_none_of_the_messages_that_wait_or_come_meanwhile(deployment, present):
    resources, old_code = deployment.resources, code_of(deployment)
    data = jpeg(photo((600, 450)))
    deployment.upload("first.jpg", data)
    eventually(lambda: deployment.record("first.jpg"))
    deployment.command("query.py", "UPDATE \"ImageMetadata\" SET Note = 'mine' WHERE ImageID = 'first.jpg'")
    changed = planned(deployment, present)["changed"]
    before = [f"before/{number:03}.jpg" for number in range(BEFORE)]
    with nothing_taken(deployment):
        for key in before:
            deployment.upload(key, data)
        eventually(lambda: waiting(deployment, "messages-queue") > BEFORE // 2)

    with arriving_at(deployment, data) as arriving:
        run_setup(deployment.cloud, present)

    assert "function" in changed and "table" not in changed
    # Which events it tells of may change, and nothing else of a bucket.
    assert changed.get("bucket", set()) <= {"PutBucketNotificationConfiguration"}
    assert not code_of(deployment) & old_code
    expected = dict.fromkeys(["first.jpg", *before, *arriving.keys], "DONE")
    assert len(arriving.keys) > 5
    eventually(lambda: outcomes(deployment).keys() >= expected.keys(), timeout=400)
    assert outcomes(deployment) == expected
    # A function that was killed between its work and its answer has left a message that is hidden for so long.
    eventually(lambda: waiting(deployment, "messages-queue") == 0, timeout=2 * VISIBILITY)
    assert waiting(deployment, "dead-letter-queue") == 0
    assert deployment.record("first.jpg")["Note"] == "mine"
    assert {key: deployment.resources[key] for key in resources} == resources


def test_after_an_upgrade_there_is_nothing_left_to_change(deployment, present):
    plan = planned(deployment, present)

    assert plan["made"] == plan["changed"] == {}
    assert {"bucket", "queue", "table", "function", "trigger", "page"} <= plan["left"].keys()
