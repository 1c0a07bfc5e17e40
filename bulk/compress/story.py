"""The log lines of one image, made from what `process` tells on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bulk.compress.outcome import LogLine
from bulk.compress.spool import Spool


def megabytes(size: int) -> str:
    """`3.5 MB`; small files with as many digits as it takes to say something."""
    count = size / 1_000_000
    return f"{count:.1f} MB" if count >= 0.95 else f"{count:.2g} MB"


class Story:
    """A watch of one job that tells it as the log does, and remembers sizes and ETags."""

    def __init__(self, bucket: str, key: str, spool: Spool, *, dry_run: bool, now: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._key = key
        self._spool = spool
        self._dry_run = dry_run
        self._now = now
        self.lines: list[LogLine] = []
        self.before: int | None = None
        self.after: int | None = None
        self.etag_before = self.etag_after = ""
        self.was_done = False

    def say(self, text: str, level: str = "INFO") -> None:
        self.lines.append(LogLine(self._now(), level, text))

    def __call__(self, step: str, facts: Mapping[str, object]) -> None:
        told: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "look": self._looked,
            "fetch": self._fetched,
            "put": self._put,
        }
        if step in told:
            told[step](facts)

    def _looked(self, facts: Mapping[str, Any]) -> None:
        self.before, self.etag_before, self.was_done = facts["bytes"], facts["etag"], facts["done"]
        if not self.was_done:
            self.say(f"Downloading object {self._key} from AWS S3.")

    def _fetched(self, facts: Mapping[str, Any]) -> None:
        if not self._spool.path.exists():
            return
        self.before = facts["bytes"]
        self.say(f"File saved in {self._spool.path} with size: {megabytes(facts['bytes'])}")
        if facts["format"]:
            self.say(f"Compressing {self._spool.path} object as {facts['format']} file")

    def _put(self, facts: Mapping[str, Any]) -> None:
        self.after, self.etag_after = facts["bytes"], facts["etag"] or ""
        verb = "Would upload" if self._dry_run else "Upload"
        self.say(f"{verb} object {self._key} for bucket {self._bucket} with size {megabytes(facts['bytes'])}")

    def ended(self) -> None:
        """After all that was to be done: the file goes."""
        path = self._spool.path
        if self._spool.remove():
            self.say(f"File {path} was deleted.")
