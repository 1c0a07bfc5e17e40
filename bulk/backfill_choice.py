"""Which objects of a bucket a backfill sends: decided from the listing and the records, without doing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.inventory import ListedObject
from pipeline.job import Outcome

#: What is asked of each record.
FIELDS = ("Outcome", "ETag", "VersionId", "OptionsHash")


class Mode(StrEnum):
    MISSING = "missing"
    FAILED = "failed"
    FORCE = "force"


class Fate(StrEnum):
    """What becomes of one object."""

    SENT = "sent"
    DONE = "done already"
    FAILED = "failed before"
    NOT_FAILED = "not failed"
    ARCHIVED = "archived"
    GONE = "gone"


@dataclass(frozen=True)
class Choice:
    """What a person asked for, and with which options images are made now."""

    mode: Mode
    options_hash: str

    @property
    def is_forced(self) -> bool:
        """Whether the function shall do again what it would take for done."""
        return self.mode is not Mode.MISSING

    def fate(self, found: ListedObject, item: Mapping[str, Any] | None) -> Fate:
        """`item`: the record of the object's key, None where there is none."""
        if found.is_archived:
            return Fate.ARCHIVED
        outcome = item.get("Outcome") if item else None
        if found.is_gone:
            return self._fate_of_gone(outcome)
        if self.mode is Mode.FAILED:
            return Fate.SENT if outcome == Outcome.FAILED else Fate.NOT_FAILED
        if self.mode is Mode.FORCE or not self._is_present(found, item):
            return Fate.SENT
        return Fate.DONE if outcome == Outcome.DONE else Fate.FAILED

    def _fate_of_gone(self, outcome: str | None) -> Fate:
        """A record that outlived its object has to go. With --force the function looks for outputs as well that no
        record names: what is left where records were lost."""
        return Fate.SENT if outcome or self.mode is Mode.FORCE else Fate.GONE

    def _is_present(self, found: ListedObject, item: Mapping[str, Any] | None) -> bool:
        """Whether `item` is a record of just this version and these options."""
        if not item or "Outcome" not in item:
            return False
        version = (item.get("ETag"), item.get("VersionId"))
        return (
            version == (found.version.etag, found.version.version_id) and item.get("OptionsHash") == self.options_hash
        )


@dataclass
class Tally:
    """How many objects met which fate, and the bytes of those that were sent."""

    fates: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, fate: Fate, size: int) -> None:
        self.fates[fate] += 1
        if fate is Fate.SENT:
            self.bytes += size

    @property
    def sent(self) -> int:
        return self.fates[Fate.SENT]

    @property
    def listed(self) -> int:
        return self.fates.total()
