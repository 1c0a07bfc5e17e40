"""A copy within the bucket that outlives the removal for as long as the bucket's lifecycle rules say."""

from __future__ import annotations

from dataclasses import dataclass

from bulk.drain.bucket import Bucket, Facts
from bulk.drain.deletions import Deletion
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, Outcome
from bulk.drain.paths import version_ending


@dataclass(frozen=True)
class Quarantine:
    bucket: Bucket
    prefix: str

    def keep(self, deletion: Deletion, facts: Facts) -> None:
        """Copy the object below the prefix if it is still the one that was read, and look at the copy."""
        plain = Candidate(self.prefix + deletion.key, facts.size, facts.etag, facts.modified)
        other = Candidate(plain.key + version_ending(facts.identity), facts.size, facts.etag, facts.modified)
        for copy in (plain, other):
            there = self.bucket.head(copy)
            # One of an earlier run may be of an earlier object; only a checksum tells, and the other name's identity.
            if there and (_same_by_checksum(there, facts) or (copy is other and _same(there, facts))):
                return
            if there:
                continue
            self.bucket.copy(deletion, facts.size, copy.key)
            made = self.bucket.head(copy)
            if made and _same(made, facts):
                return
            break
        raise AgainError(Outcome.FAILED, f"its copy {self.prefix}… is not what was copied")


def _same_by_checksum(copy: Facts, facts: Facts) -> bool:
    return copy.expected is not None and copy.expected == facts.expected


def _same(copy: Facts, facts: Facts) -> bool:
    """Equal in size and, where both have checksums of one kind, in these: a copy of many parts has another ETag."""
    if copy.size != facts.size:
        return False
    if copy.expected and facts.expected and copy.expected.algorithm == facts.expected.algorithm:
        return copy.expected.parts != facts.expected.parts or copy.expected == facts.expected
    return True
