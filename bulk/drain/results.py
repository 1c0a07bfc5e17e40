"""What travels from one step to the next: an object that is staged, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bulk.drain.deletions import Deletion
from bulk.drain.download import Verified
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, KeepError, Outcome
from bulk.drain.removal import End
from bulk.drain.tree import Spot


@dataclass(frozen=True)
class Result:
    """How it ended for one object; `again`: it may go better in a moment."""

    candidate: Candidate
    outcome: Outcome
    size: int
    reason: str = ""
    again: bool = False
    is_denied: bool = False

    @classmethod
    def of(cls, candidate: Candidate, error: KeepError | AgainError) -> Result:
        """The end of an object that is not removed."""
        return cls(candidate, error.outcome, candidate.size, error.reason, again=isinstance(error, AgainError))


@dataclass(frozen=True)
class Staged:
    """An object whose bytes are verified on disk, in the `.part` if there is one, else where `path` says."""

    candidate: Candidate
    outcome: Outcome
    verified: Verified
    spot: Spot | None = None
    part: str | None = None
    path: str = ""

    @property
    def deletion(self) -> Deletion:
        return Deletion(self.candidate.key, self.verified.facts.etag, self.candidate.version_id)

    def line(self, bucket: str, at: datetime) -> dict[str, Any]:
        """What journal and log say of it; with content type and metadata, which a file cannot hold."""
        facts = self.verified.facts
        return {
            "at": at.isoformat(timespec="milliseconds"),
            "bucket": bucket,
            "key": self.candidate.key,
            "path": self.path,
            "bytes": facts.size,
            "checksum": self.verified.checksum,
            "verified": self.verified.how,
            "etag": facts.etag,
            "version": facts.version_id,
            "content_type": facts.content_type,
            "metadata": facts.metadata,
        }

    def ending(self, end: End) -> dict[str, Any]:
        """What the log says beside that."""
        told = {"outcome": end.outcome or self.outcome, "reason": end.reason, "marker": end.marker}
        return {name: str(value) for name, value in told.items() if value}

    def result(self, end: End) -> Result:
        outcome, size = end.outcome or self.outcome, self.verified.facts.size
        return Result(self.candidate, outcome, size, end.reason, end.again, end.is_denied)
