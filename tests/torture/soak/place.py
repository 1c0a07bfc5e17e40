"""Where a soak happens: a local cloud of its own with everything set up, a bad network, a bad web and a small disk."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from local_cloud.snapshots import newest
from tests.deployed import Deployment
from tests.local_cloud_fixture import LocalCloud, free_port
from tests.torture.deployment import Tortured
from tests.torture.fault_proxy import fault_proxy, mixed
from tests.web import Web, running_web

T = TypeVar("T")

#: The share of all calls, to AWS and to the web, that meet a fault.
SHARE = 0.05
#: Delays of messages are so much shorter than on AWS; an hour would see few retries otherwise.
HURRY = 10
_PATIENCE = 120.0
_PATIENT = Config(retries={"total_max_attempts": 20, "mode": "legacy"}, connect_timeout=5, read_timeout=30)
#: For looks that can be left out.
IMPATIENT = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5)


class PatientCloud(LocalCloud):
    """A local cloud whose users try again while it is stopped: they go on until they are answered."""

    def client(self, service: str, **options: Any) -> Any:
        return super().client(service, **{"config": _PATIENT, **options})


@dataclass(frozen=True)
class Disk:
    """A disk that can be filled. Where nobody may mount one it is a plain folder, which is never full."""

    folder: Path
    is_small: bool

    def fill(self) -> None:
        if self.is_small:
            subprocess.run(
                ["dd", "if=/dev/zero", f"of={self._ballast}", "bs=64k"], capture_output=True, timeout=60, check=False
            )

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@contextmanager
def small_disk(folder: Path, size: str = "24m") -> Iterator[Disk]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    is_small = subprocess.run(mount, capture_output=True).returncode == 0
    if not is_small:
        print("No disk is ever full here: only root may mount a small one.")
    try:
        yield Disk(folder, is_small)
    finally:
        if is_small:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@dataclass(frozen=True)
class Place:
    """`ending`: set when the trouble is over. `proxy`: the address of AWS as the programs see it."""

    folder: Path
    tortured: Tortured
    proxy: str
    web: Web
    disk: Disk
    faults: Counter[str]
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def cloud(self) -> LocalCloud:
        return self.tortured.deployment.cloud

    def newest_state(self) -> Path | None:
        """The folder with the state that the local cloud saved last: what comes back when it is killed."""
        return newest(self.cloud.home / ".local_cloud" / "state")

    def keeps_versions(self, bucket: str) -> bool:
        """Whether it was saved of `bucket` that it keeps versions: a local cloud that is killed then knows it still."""
        folder = self.newest_state()
        if folder is None:
            return False
        try:
            state = json.loads((folder / "s3.json").read_text())
        except OSError:
            return False  # a newer one has just taken its place
        return any(key.endswith(repr(bucket)) for key in state["payload"]["bucket_versioning"]["data"])


@contextmanager
def prepared(folder: Path, seed: int, *, visibility: int, function_timeout: int) -> Iterator[Place]:
    """Set up; the function and the programs then work through a network that fails."""
    cloud, faults = PatientCloud(free_port(), folder / "home"), Counter[str]()
    (folder / "home").mkdir()
    cloud.start()
    with ExitStack() as stack:
        stack.callback(cloud.stop)
        deployment = Deployment(cloud)
        done = deployment.command("setup.py", "--local")
        assert done.returncode == 0, done.stderr
        tortured = Tortured(deployment, deployment.resources)
        proxy = stack.enter_context(fault_proxy(cloud.port, mixed(SHARE, seed, faults), hurry=HURRY))
        web, disk = stack.enter_context(running_web()), stack.enter_context(small_disk(folder / "disk"))
        tortured.work_through(proxy, visibility=visibility, function_timeout=function_timeout, batch_size=4)
        yield Place(folder, tortured, proxy, web, disk, faults)


def insist(look: Callable[[], T]) -> T:
    """What `look` returns, however often the local cloud is stopped in its middle."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return look()
        except (BotoCoreError, HTTPError, ClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
