"""What files and folders are called on this disk, where something else may have their name already.

Other threads make files and folders meanwhile. So nothing here is true for longer than it takes to say: whoever acts on
a name looks again afterwards, and settles anew what has changed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from bulk.drain.outcomes import AgainError, KeepError, Outcome
from bulk.drain.paths import FILE, FOLDER, OWN_FOLDER, twin_name

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: A name changes once when a file or a folder takes it, and once more when a twin does.
TRIES = 5
_PROBE = "spelling-é"
#: Each folds one thing alone: some disks know the small letters of ASCII only.
_OTHER_SPELLINGS = ("SPELLING-é", "spelling-É", "spelling-e\u0301")

#: Under which name the open folder has what is asked for by a name: another one where case is folded, None for nothing.
Find = Callable[[int, str], str | None]
#: Whether the open folder finds anything by a name.
Has = Callable[[int, str], bool]


class Names:
    """Names in open folders. An `ending` belongs to a file's name, whatever else its name must be told from."""

    def __init__(self, find: Find) -> None:
        self._find = find

    def of_folder(self, folder: int, part: str) -> str:
        """The part, or what takes its place where a file or a twin has its name."""
        part = self._untwinned(folder, part)
        return part + FOLDER if _is(folder, part, _is_file) else part

    def of_file(self, folder: int, part: str, ending: str = "") -> str:
        part = self._untwinned(folder, part, ending)
        return (part + FILE if _is(folder, part, stat.S_ISDIR) else part) + ending

    def enter(self, folder: int, part: str, made: Callable[[str], object]) -> tuple[str, int]:
        """A folder's name and a descriptor of it; `made` hears of its name before it is made."""
        for _ in range(TRIES):
            name = self.of_folder(folder, part)
            try:
                below = _entered(folder, name, made)
            except NotADirectoryError:
                if self.of_folder(folder, part) == name:
                    raise KeepError(Outcome.FAILED, f"{name} is where a folder belongs: move it away") from None
                continue
            if self._find(folder, name) in (None, name):
                return name, below
            os.close(below)
        raise AgainError(Outcome.FAILED, f"{part} is now one thing and now another")

    def _untwinned(self, folder: int, part: str, ending: str = "") -> str:
        taken = (name for name in {part, part + ending} if self._find(folder, name) not in (None, name))
        return twin_name(part) if any(taken) else part


def open_folder(above: int, name: str) -> int:
    """A descriptor; ELOOP for a symbolic link, NotADirectoryError for whatever else is no folder."""
    try:
        return os.open(name, FOLDER_FLAGS, dir_fd=above)
    except NotADirectoryError:
        if _is(above, name, stat.S_ISLNK):
            # Linux says the same of a link as of a file.
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name) from None
        raise


def _has(folder: int, name: str) -> bool:
    return _is(folder, name, lambda mode: True)


def finder(root: int, has: Has = _has) -> Find:
    """How names are found on this disk: only where `a` is found as `A` must the folder be read."""
    return partial(_find_exactly, has) if _folds_names(root, has) else lambda folder, name: None


def _entered(folder: int, name: str, made: Callable[[str], object]) -> int:
    try:
        return open_folder(folder, name)
    except FileNotFoundError:
        made(name)
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
    return open_folder(folder, name)


def _folds_names(root: int, has: Has) -> bool:
    own = os.open(OWN_FOLDER, FOLDER_FLAGS, dir_fd=root)
    try:
        os.close(os.open(_PROBE, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=own))
        found = any(has(own, other) for other in _OTHER_SPELLINGS)
        os.unlink(_PROBE, dir_fd=own)
        return found
    finally:
        os.close(own)


def _find_exactly(has: Has, folder: int, name: str) -> str | None:
    """`name` itself if the folder lists it, another name by which the file system finds it, or None."""
    if not has(folder, name):
        return None
    listed = set(os.listdir(folder))
    return name if name in listed else f"another spelling of {name}"


def _is_file(mode: int) -> bool:
    """Whether it is neither a folder nor a symbolic link, so that a folder can go beside it."""
    return not stat.S_ISDIR(mode) and not stat.S_ISLNK(mode)


def _is(folder: int, name: str, test: Callable[[int], bool]) -> bool:
    try:
        return test(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
