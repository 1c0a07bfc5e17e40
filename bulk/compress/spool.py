"""The file on disk that an object is while it is worked on: `<temp_dir>/<unique>/<the last part of its key>`."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.response import StreamingBody

#: Distinct enough for a folder that many programs share: what begins so and nobody holds is deleted.
_PREFIX = "image-pipeline-compress-"
_CAN_LOCK = os.name != "nt"
_AT_ONCE = 1 << 20
_MAX_NAME = 150
#: What some system takes for no part of a name.
_NOT_IN_NAMES = frozenset('<>:"/\\|?*')


class SpoolError(Exception):
    """The folder for temporary files cannot be used: no space, no right, no such folder. No image is to blame."""


class Spool:
    """A folder of its own for one image; gone when the block ends, and locked until then for `sweep` to see."""

    def __init__(self, temp_dir: str, key: str) -> None:
        self._temp_dir = temp_dir
        self._name = file_name(key)
        self._folder: Path | None = None
        self._lock: int | None = None

    def __enter__(self) -> Spool:
        try:
            self._folder, self._lock = _make(self._temp_dir)
        except OSError as error:
            raise SpoolError(f"no file can be made in {self._temp_dir}: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)

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


def sweep(temp_dir: str) -> None:
    """Delete what workers of this user left that were killed. What cannot be deleted stays for another time."""
    for folder in Path(temp_dir).glob(f"{_PREFIX}*") if _CAN_LOCK else ():
        lock = _locked(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _make(temp_dir: str) -> tuple[Path, int | None]:
    """A new folder and its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=temp_dir))
        lock = _locked(folder, wait=True) if _CAN_LOCK else None
        # Gone: whoever swept just here took it for one that a dead worker left. Not every file system has locks.
        if lock is not None or folder.exists():
            return folder, lock


def _locked(folder: Path, *, wait: bool = False) -> int | None:
    """A descriptor that keeps the folder locked until it is closed, or its process dies; None where somebody else has
    it, or has deleted it."""
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        held = os.fstat(descriptor)
        if os.path.samestat(held, os.stat(folder)) and held.st_uid == os.geteuid():
            return descriptor
    os.close(descriptor)
    return None


def file_name(key: str) -> str:
    """The last part of `key` as a name that every file system takes."""
    last = key.rstrip("/").rpartition("/")[2]
    name = "".join("_" if letter in _NOT_IN_NAMES or not letter.isprintable() else letter for letter in last)
    stem, dot, suffix = name.rpartition(".")
    if len(name.encode()) > _MAX_NAME:
        short = (stem if dot and len(suffix) < 9 else name).encode()[: _MAX_NAME - 10].decode(errors="ignore")
        name = f"{short}.{suffix}" if dot and len(suffix) < 9 else short
    return name.rstrip(". ") or "object"
