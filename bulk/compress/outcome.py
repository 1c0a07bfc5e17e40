"""What became of one image: it travels from the worker to the journal, the log, the report and the closing table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cli.exits import CommandError


class Outcome(StrEnum):
    COMPRESSED = "compressed"
    #: Of a dry run.
    WOULD_COMPRESS = "would compress"
    #: Its mark says so.
    ALREADY = "already compressed"
    #: Nothing would be won, or something might be lost.
    UNCHANGED = "unchanged"
    #: There is no image to compress, with a code.
    IGNORED = "ignored"
    FAILED = "failed"
    #: It may go well later in this run.
    RETRY = "retry"
    #: Workers died with it, perhaps of another image that lay with them: it is tried again with nothing beside it.
    SUSPECT = "suspect"


#: Of these a run makes something else before it ends.
UNFINISHED = (Outcome.RETRY, Outcome.SUSPECT)


@dataclass(frozen=True)
class LogLine:
    """`level`: a name of the logging module."""

    time: datetime
    level: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Done:
    """One image, at its end. Sizes in bytes.

    `stop`: why no other image can go well either.
    """

    line: int
    key: str
    outcome: Outcome
    code: str = ""
    reason: str = ""
    before: int | None = None
    after: int | None = None
    etag_before: str = ""
    etag_after: str = ""
    lines: tuple[LogLine, ...] = ()
    stop: CommandError | None = None
