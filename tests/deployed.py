"""A deployment on the local cloud, driven as people drive it: by its commands."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local_cloud_fixture import ROOT, LocalCloud


@dataclass(frozen=True)
class Deployment:
    """A set-up pipeline: its commands, and its resources by their names in the state."""

    cloud: LocalCloud

    def command(self, *arguments: str, timeout: float = 180, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `python …` in the checkout, its environment that of a laptop with this local cloud and `variables`."""
        environ = {name: value for name, value in self.cloud.environ.items() if not name.startswith("AWS_")} | variables
        return subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=timeout
        )

    def json_lines(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.command(*arguments, "--json")
        assert done.returncode in (0, 1), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    @property
    def resources(self) -> dict[str, str]:
        shelve = json.loads(self.command("show_shelve.py", "--json").stdout)
        return {key.rsplit("/", 1)[1]: value for key, value in shelve.items() if key.startswith("local/")}

    def upload(self, key: str, data: bytes) -> None:
        self.cloud.client("s3").put_object(Bucket=self.resources["images-bucket"], Key=key, Body=data)

    def record(self, key: str) -> dict[str, Any] | None:
        quoted = key.replace("'", "''")
        found = self.json_lines("query.py", f"SELECT * FROM \"ImageMetadata\" WHERE ImageID = '{quoted}'")
        return found[0] if found else None


def write_pictures(folder: Path, pictures: dict[str, bytes]) -> Path:
    for name, data in pictures.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
