"""How an object ends: what is counted, logged and printed; and the two errors that end one object or the whole run."""

from __future__ import annotations

import errno
from enum import StrEnum

from cli.exits import CommandError, Exit


class Outcome(StrEnum):
    """What became of one object. The first five are no longer in S3 (or only as a version that is not current)."""

    DRAINED = "drained"
    HERE = "already here"
    PROCESSED = "already processed"
    GONE = "gone meanwhile"
    MARKER = "delete marker"
    DIFFERENT = "differs from the processed file"
    UNVERIFIED = "nothing to verify it by"
    ARCHIVED = "archived"
    ENCRYPTED = "encrypted with a key of the customer"
    CHANGED = "overwritten again and again"
    YOUNG = "too young"
    LEFT = "left for another run"
    FAILED = "failed"


#: Removed from S3: either its bytes were verified on disk, or somebody else had removed it.
REMOVED = frozenset({Outcome.DRAINED, Outcome.HERE, Outcome.PROCESSED, Outcome.GONE, Outcome.MARKER})
#: Still in S3 because the person asked for that.
WANTED = frozenset({Outcome.YOUNG, Outcome.LEFT})

#: Names that this file system does not take: one object cannot be written, the disk is well.
_NAME_FAULTS = {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ELOOP, errno.EMLINK}


class KeepError(Exception):
    """This object stays in S3."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


class AgainError(Exception):
    """This object may be drained later in this run: it changed meanwhile, or S3 had a bad moment."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


class DiskError(CommandError):
    """The disk cannot be trusted or is full: everything stops, and nothing more is removed."""

    def __init__(self, doing: str, error: OSError) -> None:
        cure = _CURES.get(error.errno or 0, "look at the disk and its log (dmesg)")
        text = f"{doing}: {error.strerror or error}. Nothing more was removed from S3; {cure}, then run this again"
        super().__init__(text, Exit.SOME_FAILED)


_CURES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room within the quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "make the disk writable",
    errno.EACCES: "make the folder writable",
    errno.EPERM: "make the folder writable",
}


def fault_of(doing: str, error: OSError) -> Exception:
    """What an error of the file system means: the end of one object if only its name is at fault, else of the run."""
    if isinstance(error, FileNotFoundError):
        return AgainError(Outcome.FAILED, f"{doing}: somebody took it away meanwhile")
    if isinstance(error, NotADirectoryError):
        return AgainError(Outcome.FAILED, f"{doing}: somebody put a file in the place of a folder meanwhile")
    if error.errno in _NAME_FAULTS:
        return KeepError(Outcome.FAILED, f"{doing}: {error.strerror}")
    return DiskError(doing, error)
