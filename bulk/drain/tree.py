"""The folder that is drained into. Everything in it is reached from one open folder, part by part and never through a
symbolic link, so that whatever lies in it, no byte lands outside."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bulk.drain.durable import DurableFolders
from bulk.drain.names import TRIES, Names, finder, open_folder
from bulk.drain.no_clobber import rename_no_clobber
from bulk.drain.outcomes import AgainError, KeepError, Outcome, fault_of
from cli.exits import CommandError

_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PART_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Spot:
    """Where a file is or goes: its folder's parts as they are on the disk, and its name."""

    folder: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return "/".join((*self.folder, self.name))


class Tree:
    """Verbs on what lies in the folder; they may be called by many threads at once. `names` are those of this disk."""

    def __init__(self, root: Path, sync: Callable[[int], None], *, names: Names | None = None) -> None:
        self.root = root
        self.sync = sync
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._names = names or Names(finder(self._root))
        self._durable = DurableFolders()

    def close(self) -> None:
        os.close(self._root)

    def settle(self, parts: Sequence[str], ending: str = "") -> Spot:
        """Where the path leads on this disk, with `ending` after the file's name; its folders are made."""
        folder = os.dup(self._root)
        real: tuple[str, ...] = ()
        try:
            for part in parts[:-1]:
                name, below = self._names.enter(folder, part, partial(self._forget, real))
                os.close(folder)
                folder, real = below, (*real, name)
            return Spot(real, self._names.of_file(folder, parts[-1], ending))
        except OSError as error:
            raise self._fault("cannot make the folder of", "/".join(parts), error) from error
        finally:
            os.close(folder)

    def look_up(self, parts: Sequence[str], ending: str = "") -> tuple[Spot, int | None]:
        """Where the path leads, and the open file that is there, if any; KeepError where something else is there.

        Between settling and opening another thread may make a folder of that name, or a file of a twin's.
        """
        for _ in range(TRIES):
            spot = self.settle(parts, ending)
            with ExitStack() as undone:
                try:
                    file = self.open_file(spot)
                except KeepError:
                    if self.settle(parts, ending) == spot:
                        raise
                    continue
                if file is None:
                    return spot, None
                undone.callback(os.close, file)
                if self.settle(parts, ending) == spot:
                    undone.pop_all()
                    return spot, file
        raise AgainError(Outcome.FAILED, f"{self.root.joinpath(*parts)} is now one thing and now another")

    @contextmanager
    def opened(self, folder: Sequence[str]) -> Iterator[int]:
        """A descriptor of a folder that `settle` has named."""
        descriptor = os.dup(self._root)
        try:
            for part in folder:
                below = open_folder(descriptor, part)
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
        """The regular file at a spot, None where there is nothing; KeepError for whatever else is there."""
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
        """Give the verified file its name; TakenError where there is something of that name, whatever it is."""
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
        self._sync(folder)
        for depth in range(len(folder), 0, -1):
            if folder[:depth] in self._durable:
                return
            self._durable.ensure(folder[:depth], partial(self._sync, folder[: depth - 1]))

    def _forget(self, above: tuple[str, ...], name: str) -> None:
        self._durable.forget((*above, name))

    def _sync(self, folder: tuple[str, ...]) -> None:
        with self.opened(folder) as descriptor:
            self.sync(descriptor)

    def _fault(self, doing: str, path: str, error: OSError) -> Exception:
        if error.errno == errno.ELOOP:
            text = f"a symbolic link is in the way to {self.root / path}: it is not followed; move it away"
            return KeepError(Outcome.FAILED, text)
        return fault_of(f"{doing} {self.root / path}", error)


class TakenError(Exception):
    """There is something under this name already."""
