"""The file on disk that an object is while it is worked on: `<temp_dir>/<unique>/<the last part of its key>`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.response import StreamingBody

_AT_ONCE = 1 << 20
_MAX_NAME = 150
#: What some system takes for no part of a name.
_NOT_IN_NAMES = frozenset('<>:"/\\|?*')


class SpoolError(Exception):
    """The folder for temporary files cannot be used: no space, no right, no such folder. No image is to blame."""


class Spool:
    """A folder of its own for one image; gone when the block ends."""

    def __init__(self, temp_dir: str, key: str) -> None:
        self._temp_dir = temp_dir
        self._name = file_name(key)
        self._folder: Path | None = None

    def __enter__(self) -> Spool:
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="compress-", dir=self._temp_dir))
        except OSError as error:
            raise SpoolError(f"no file can be made in {self._temp_dir}: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def path(self) -> Path:
        assert self._folder, "the block is not entered"
        return self._folder / self._name

    def remove(self) -> bool:
        """Delete the file; whether there was one."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True

    def read(self, key: str, body: StreamingBody) -> bytes:
        """What `Storage` reads a body with: it goes to the file, and from there."""
        try:
            with self.path.open("wb") as file:
                shutil.copyfileobj(body, file, _AT_ONCE)
            return self.path.read_bytes()
        except OSError as error:
            # What comes from the network is none of these: `errno` is the disk's word.
            if error.errno is None:
                raise
            raise SpoolError(f"{self.path} cannot be written: {error.strerror}") from error


def file_name(key: str) -> str:
    """The last part of `key` as a name that every file system takes."""
    last = key.rstrip("/").rpartition("/")[2]
    name = "".join("_" if letter in _NOT_IN_NAMES or not letter.isprintable() else letter for letter in last)
    stem, dot, suffix = name.rpartition(".")
    if len(name.encode()) > _MAX_NAME:
        short = (stem if dot and len(suffix) < 9 else name).encode()[: _MAX_NAME - 10].decode(errors="ignore")
        name = f"{short}.{suffix}" if dot and len(suffix) < 9 else short
    return name.rstrip(". ") or "object"
