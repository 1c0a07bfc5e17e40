"""Everything that the local cloud keeps lies in one folder: `<home>/.local_cloud/`."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folder:
    """The places inside `.local_cloud/`; `home` is the folder that holds it."""

    home: Path

    @property
    def path(self) -> Path:
        return self.home / ".local_cloud"

    @property
    def lock(self) -> Path:
        return self.path / "server.lock"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def start_log(self) -> Path:
        """What the server says before its own log is open, and if the interpreter itself breaks."""
        return self.path / "start.log"

    @property
    def objects(self) -> Path:
        return self.path / "objects"

    @property
    def being_written(self) -> Path:
        """Notes of objects that are being written."""
        return self.path / "being_written"

    @property
    def state(self) -> Path:
        return self.path / "state"

    @property
    def temporary(self) -> Path:
        return self.path / "tmp"

    @property
    def python(self) -> Path:
        """The bare environment of the functions: one for each version, so that an upgrade makes a new one."""
        return self.path / f"python-{'.'.join(map(str, sys.version_info[:3]))}"

    def make(self) -> None:
        """Make the folder, readable by its owner alone: it holds every object and the credentials of the functions."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def empty_temporary(self) -> None:
        """Function code of a server that was killed stays behind here."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
