"""Which objects a run is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bulk.drain.listing import Candidate, Listing
from bulk.drain.rounds import Work
from bulk.drain.settings import Search


@dataclass(frozen=True, kw_only=True)
class Selection:
    """`newest`: objects that were written later stay; `but_below`: nothing below this prefix is touched."""

    listing: Listing
    search: Search
    versions: bool
    newest: datetime | None = None
    but_below: str | None = None

    def __iter__(self) -> Iterator[Work]:
        """One object after the other, or one key with all of its versions, as the bucket lists them meanwhile."""
        if self.versions:
            yield from (work for work in self.listing.versions(self.search.prefix) if self._takes(work[-1]))
        else:
            yield from ([one] for one in self.listing.objects(self.search.prefix) if self._takes(one))

    def count(self) -> tuple[int, int]:
        """Objects (or versions) and bytes, by a listing of its own."""
        objects = total = 0
        for work in self:
            objects += len(work)
            total += sum(candidate.size for candidate in work)
        return objects, total

    def _takes(self, newest: Candidate) -> bool:
        if self.newest and newest.modified > self.newest:
            return False
        if self.but_below and newest.key.startswith(self.but_below):
            return False
        return self.search.matches(newest.key)
