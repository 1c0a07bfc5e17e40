"""The folder that is drained into. Everything in it is reached from one open folder, part by part and never through a
symbolic link, so that whatever lies in it, no byte lands outside."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bulk.drain.no_clobber import rename_no_clobber
from bulk.drain.outcomes import AgainError, KeepError, Outcome, fault_of
from bulk.drain.paths import FILE, FOLDER, OWN_FOLDER, twin_name
from cli.exits import CommandError

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PART_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: So many folders are remembered as durable; when there are more, some are made durable once more.
_REMEMBERED = 100_000
_PROBE = "spelling-é"

Find = Callable[[int, str], str | None]


@dataclass(frozen=True)
class Spot:
    """Where a file is or goes: its folder's parts as they are on the disk, and its name."""

    folder: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return "/".join((*self.folder, self.name))


class Tree:
    """`find` says under which name a folder holds what is asked for by a name: another one where case is folded."""

    def __init__(self, root: Path, sync: Callable[[int], None], *, find: Find | None = None) -> None:
        self.root = root
        self.sync = sync
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._find = find or _finder(self._root)
        self._durable: set[tuple[str, ...]] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        os.close(self._root)

    def settle(self, parts: Sequence[str]) -> Spot:
        """Where the path leads on this disk; its folders are made."""
        folder = os.dup(self._root)
        real: list[str] = []
        try:
            for part in parts[:-1]:
                real.append(self._name_of_folder(folder, part))
                below = _enter(folder, real[-1])
                os.close(folder)
                folder = below
            return Spot(tuple(real), self._name_of_file(folder, parts[-1]))
        except OSError as error:
            raise self._fault("cannot make the folder of", "/".join(parts), error) from error
        finally:
            os.close(folder)

    @contextmanager
    def opened(self, folder: Sequence[str]) -> Iterator[int]:
        """A descriptor of a folder that `settle` has named."""
        descriptor = os.dup(self._root)
        try:
            for part in folder:
                below = os.open(part, _FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        except OSError as error:
            raise self._fault("cannot work in the folder", "/".join(folder), error) from error
        finally:
            os.close(descriptor)

    def open_part(self, folder: Sequence[str], name: str) -> int:
        """The file that bytes arrive in, made if it is not there; for reading and writing."""
        with self.opened(folder) as descriptor:
            part = os.open(name, _PART_FLAGS, 0o666, dir_fd=descriptor)
        status = os.fstat(part)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            return part
        os.close(part)
        # A second name may be anywhere on this disk, also outside.
        raise KeepError(Outcome.FAILED, f"{'/'.join((*folder, name))} is no file of its own: move it away")

    def open_file(self, spot: Spot) -> int | None:
        """The regular file at a spot, None where there is nothing; whatever else is there keeps the object in S3."""
        with self.opened(spot.folder) as descriptor:
            try:
                found = os.open(spot.name, _READ_FLAGS, dir_fd=descriptor)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENXIO):
                    raise
                raise KeepError(
                    Outcome.FAILED, f"{self.root / str(spot)} is a link or a device: move it away"
                ) from None
        if stat.S_ISREG(os.fstat(found).st_mode):
            return found
        os.close(found)
        raise KeepError(Outcome.FAILED, f"{self.root / str(spot)} is no file: move it away")

    def rename(self, part: str, spot: Spot) -> None:
        """Give the verified file its name; FileExistsError where that is taken."""
        with self.opened(spot.folder) as descriptor:
            try:
                rename_no_clobber(part, spot.name, descriptor)
            except FileExistsError as error:
                raise TakenError(spot) from error

    def remove_part(self, folder: Sequence[str], name: str) -> None:
        with suppress(KeepError, AgainError, CommandError), self.opened(folder) as descriptor:
            os.unlink(name, dir_fd=descriptor)

    def make_durable(self, folder: tuple[str, ...]) -> None:
        """Names in this folder survive a power cut, and so do the names of the folders that lead to it."""
        for depth in range(len(folder), -1, -1):
            above = folder[:depth]
            with self._lock:
                if depth < len(folder) and folder[: depth + 1] in self._durable:
                    return
            with self.opened(above) as descriptor:
                self.sync(descriptor)
            with self._lock:
                if depth < len(folder):
                    self._remember(folder[: depth + 1])

    def _remember(self, folder: tuple[str, ...]) -> None:
        if len(self._durable) >= _REMEMBERED:
            self._durable.clear()
        self._durable.add(folder)

    def _name_of_folder(self, folder: int, part: str) -> str:
        """The part, or what takes its place where a file or a twin has its name."""
        part = self._untwinned(folder, part)
        return part + FOLDER if _is_file(folder, part) else part

    def _name_of_file(self, folder: int, part: str) -> str:
        part = self._untwinned(folder, part)
        return part + FILE if _mode(folder, part, stat.S_ISDIR) else part

    def _untwinned(self, folder: int, part: str) -> str:
        found = self._find(folder, part)
        return part if found in (None, part) else twin_name(part)

    def _fault(self, doing: str, path: str, error: OSError) -> Exception:
        if isinstance(error, NotADirectoryError) or error.errno == errno.ELOOP:
            text = f"a symbolic link is in the way to {self.root / path}: it is not followed; move it away"
            return KeepError(Outcome.FAILED, text)
        return fault_of(f"{doing} {self.root / path}", error)


def _enter(folder: int, name: str) -> int:
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
    return os.open(name, _FOLDER_FLAGS, dir_fd=folder)


class TakenError(Exception):
    """There is something under this name already."""


def _finder(root: int) -> Find:
    """How names are found on this disk: only where `a` is found as `A` must the folder be read."""
    return _find_exactly if _folds_names(root) else lambda folder, name: None


def _folds_names(root: int) -> bool:
    own = os.open(OWN_FOLDER, _FOLDER_FLAGS, dir_fd=root)
    try:
        os.close(os.open(_PROBE, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=own))
        found = any(_is_file(own, other) for other in (_PROBE.upper(), _PROBE.replace("é", "e\u0301")))
        os.unlink(_PROBE, dir_fd=own)
        return found
    finally:
        os.close(own)


def _find_exactly(folder: int, name: str) -> str | None:
    """`name` itself if the folder lists it, another name by which the file system finds it, or None."""
    if not _mode(folder, name, lambda mode: True):
        return None
    listed = set(os.listdir(folder))
    return name if name in listed else f"another spelling of {name}"


def _is_file(folder: int, name: str) -> bool:
    """Whether something is there that is neither a folder nor a symbolic link."""
    return _mode(folder, name, lambda mode: not stat.S_ISDIR(mode) and not stat.S_ISLNK(mode))


def _mode(folder: int, name: str, test: Callable[[int], bool]) -> bool:
    try:
        return test(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
