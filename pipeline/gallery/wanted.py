"""Which images a reader wants, and in which order. Pure: no I/O."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from pipeline.job import Outcome


class Order(StrEnum):
    """The orders in which the table can be read: by the time at which images were finished, or by their keys."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"

    @property
    def attribute(self) -> str:
        """What the order goes by; among images of one shard, only times can be the same."""
        return "ImageID" if self is Order.NAME else "ProcessedAt"

    @property
    def descending(self) -> bool:
        return self is Order.NEWEST


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a reader asked for; None: whatever it may be.

    `since` and `until` are times as records have them, both inclusive; sizes are bytes of originals, `max_bytes`
    exclusive, so that ranges that meet share no image.
    """

    order: Order = Order.NEWEST
    prefix: str | None = None
    format: str | None = None
    outcome: Outcome | None = None
    since: str | None = None
    until: str | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None

    @property
    def fingerprint(self) -> str:
        """The same for equal wishes only; a cursor carries it on, so that it is of use for nothing else."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=True)

    def holds(self, at: str) -> bool:
        """Whether a page can end at `at`: beyond these bounds the index is not read."""
        if self.order is Order.NAME:
            return at.startswith(self.prefix or "")
        return (self.since or "") <= at and (self.until is None or at <= self.until)


ALL = Wanted()
