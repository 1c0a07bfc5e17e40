"""The folder to drain into, made ready: durable itself, locked, with the journal and the log in `.drain/`."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bulk.drain.journal import APPEND_FLAGS, Lines
from bulk.drain.outcomes import DiskError
from bulk.drain.paths import OWN_FOLDER
from bulk.drain.tree import Tree
from cli.exits import CommandError, Exit

JOURNAL = "journal.jsonl"
LOG = "log.jsonl"

Sync = Callable[[int], None]


@contextmanager
def own_folder(root: Path, sync: Sync | None = None) -> Iterator[tuple[Tree, Lines, Lines]]:
    """The tree, the journal and the log, for one drainer at a time; CommandError where nobody can work there."""
    sync = sync or sync_to_disk
    with _disk(root):
        _make_durable(root, sync)
        lock = os.open(root / OWN_FOLDER / "lock", APPEND_FLAGS, 0o600)
    try:
        _lock(lock, root)
        with _disk(root):
            tree, journal, log = _open(root, sync)
        with closing(tree), closing(journal), closing(log):
            yield tree, journal, log
    finally:
        os.close(lock)


def sync_to_disk(descriptor: int) -> None:
    """fsync as far as it can go: macOS empties the drive's own cache only when it is asked in another way."""
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, full)


def _open(root: Path, sync: Sync) -> tuple[Tree, Lines, Lines]:
    tree = Tree(root, sync)
    journal, log = Lines(root / OWN_FOLDER / JOURNAL, sync), Lines(root / OWN_FOLDER / LOG)
    # The journal's own name is to outlive a power cut, too.
    tree.make_durable((OWN_FOLDER,))
    return tree, journal, log


def _make_durable(root: Path, sync: Sync) -> None:
    last = _highest_of(root)
    own = root / OWN_FOLDER
    own.mkdir(parents=True, exist_ok=True)
    if own.is_symlink():
        raise CommandError(f"{own} is a symbolic link and would lead outside: move it away", Exit.SOME_FAILED)
    for folder in (root, *root.parents):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)
        if folder == last:
            return


def _highest_of(root: Path) -> Path:
    """The last folder to be made durable: above the nearest that is there, whose name may be a moment old."""
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    # Above a mount there is another disk, and what nobody may read cannot be synced.
    return there if there.is_mount() or not os.access(there.parent, os.R_OK) else there.parent


def _lock(descriptor: int, root: Path) -> None:
    """Two drainers may empty one bucket, but not into one folder: each would take the other's files for its own."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = f"another drainer is at work in {root}: wait for it, or give this one another --local-base-path"
        raise CommandError(text, Exit.SOME_FAILED) from None


@contextmanager
def _disk(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskError(f"cannot work in {root}", error) from error
