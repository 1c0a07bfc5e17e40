"""`local_cloud`: a real one for the whole test session, on a free port and in a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.local import HOST, endpoint

ROOT = Path(__file__).resolve().parent.parent

#: The emulator takes `test` for the root user of its account, also with authentication on.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}

OWN_ERROR = " ERROR local_cloud: "


@dataclass(frozen=True)
class LocalCloud:
    """A local cloud and how to reach it. `environ` is the whole environment for a subprocess that shall use it."""

    port: int
    home: Path

    @property
    def endpoint_url(self) -> str:
        return endpoint(self.port)

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "IMAGE_PIPELINE_HOME": str(self.home),
            "LOCAL_CLOUD_PORT": str(self.port),
        }

    def client(self, service: str, **options: Any) -> Any:
        import boto3

        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            **options,
        )

    def command(self, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Run `python -m local_cloud …` for this folder and port."""
        return subprocess.run(
            [sys.executable, str(ROOT / "local_cloud"), *arguments],
            cwd=cwd,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def start(self, *arguments: str) -> None:
        started = self.command("start", *arguments)
        assert started.returncode == 0, started.stderr

    def stop(self) -> None:
        stopped = self.command("stop")
        assert stopped.returncode == 0, stopped.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_local_cloud(home: Path, *arguments: str) -> Iterator[LocalCloud]:
    """A local cloud of one's own, for tests that stop, kill or configure it."""
    cloud = LocalCloud(free_port(), home)
    try:
        cloud.start(*arguments)
        yield cloud
    finally:
        cloud.stop()


def own_errors(cloud: LocalCloud) -> list[str]:
    """What the local cloud itself told as an error, besides what the emulator in it may say."""
    logs = (cloud.home / ".local_cloud").glob("server.log*")
    return [line for log in logs for line in log.read_text(errors="replace").splitlines() if OWN_ERROR in line]


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """The local cloud that all tests of the session share: give what you make in it names of your own."""
    with running_local_cloud(tmp_path_factory.mktemp("local-cloud")) as cloud:
        yield cloud
    assert own_errors(cloud) == []
