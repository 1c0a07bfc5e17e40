"""The order of things, for one object and for the many that are removed together. No other module knows it.

    stage    processed already? here already? fsync → compare; else stream → check → fsync
    commit   rename → fsync folder → journal → remove → log

An object is removed only after its bytes were verified and are durable under their name, whatever kills the program in
between. `STEPS` is that list; `watch` is told of each step when it is done.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bulk.drain.bucket import Bucket
from bulk.drain.deletions import Deletion
from bulk.drain.download import Downloader, Verified
from bulk.drain.journal import Lines
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, DiskError, KeepError, Outcome
from bulk.drain.paths import partial_name, parts_of
from bulk.drain.places import Places
from bulk.drain.processed import ProcessedFolder
from bulk.drain.quarantine import Quarantine
from bulk.drain.removal import remove
from bulk.drain.results import Result, Staged

STEPS = ("begun", "streamed", "checked", "synced", "renamed", "folder synced", "journalled", "removed", "logged")

#: Told of a step and the object's key.
Watch = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Drainer:
    """What one object needs to be drained."""

    bucket: Bucket
    places: Places
    downloader: Downloader
    processed: ProcessedFolder | None
    processed_by_size: bool
    quarantine: Quarantine | None
    journal: Lines
    log: Lines
    watch: Watch
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def stage(self, candidate: Candidate) -> Staged:
        """Bring the object to where it can be removed. KeepError, AgainError or DiskError where it cannot."""
        self.watch("begun", candidate.key)
        staged = self._processed(candidate) or self._fetched(candidate)
        if self.quarantine:
            self.quarantine.keep(staged.deletion, staged.verified.facts)
        return staged

    def commit(self, batch: Sequence[Staged]) -> list[Result]:
        """Name, journal and remove what is staged. DiskError before anything is removed if the disk fails."""
        named, results = self._named(batch)
        durable, refused = self._durable(named)
        results += refused
        if not durable:
            return results
        at = self.now()
        self.journal.add(one.line(self.bucket.name, at) for one in durable)
        self._tell("journalled", durable)
        ends = remove(self.bucket, [one.deletion for one in durable], self.downloader.line.sleep)
        self._tell("removed", durable)
        ended = [(one, ends[one.deletion]) for one in durable]
        self.log.add(one.line(self.bucket.name, at) | one.ending(end) for one, end in ended)
        self._tell("logged", durable)
        return results + [one.result(end) for one, end in ended]

    def remove_marker(self, marker: Candidate) -> Result:
        """A delete marker hides no bytes of its own; it goes after the versions that it is newer than."""
        deletion = Deletion(marker.key, marker.etag, marker.version_id)
        end = remove(self.bucket, [deletion], self.downloader.line.sleep)[deletion]
        return Result(marker, end.outcome or Outcome.MARKER, 0, end.reason, again=end.again)

    def refreshed(self, candidate: Candidate) -> Candidate:
        """The object as it is now; KeepError where it is gone."""
        facts = self.bucket.require(candidate)
        return replace(candidate, size=facts.size, etag=facts.etag, modified=facts.modified)

    def _processed(self, candidate: Candidate) -> Staged | None:
        if self.processed is None:
            return None
        with self.processed.find(parts_of(candidate.key)) as found:
            if found is None:
                return None
            file, path = found
            self.places.sync_before_reading(file, str(path))
            verified = self._as_processed(file, candidate)
            if verified is None:
                raise KeepError(Outcome.DIFFERENT, f"{path} has another content: kept in S3")
            self.processed.make_durable(path, self.places.sync_folder)
        return Staged(candidate, Outcome.PROCESSED, verified, path=str(path))

    def _as_processed(self, file: int, candidate: Candidate) -> Verified | None:
        facts = self.bucket.require(candidate)
        if self.processed_by_size and os.fstat(file).st_size == facts.size:
            return Verified(facts, "", "name and size")
        return self.downloader.of_file(file, candidate, facts)

    def _fetched(self, candidate: Candidate) -> Staged:
        here = self.places.look(candidate)
        if isinstance(here, Staged):
            return here
        name = partial_name(candidate.key, candidate.version_id or candidate.etag)
        part = self.places.tree.open_part(here.folder, name)
        try:
            verified = self._streamed(part, candidate, name)
        except (KeepError, DiskError):
            # After an error of the disk what is cached of it may look well and be lost: nothing shall go on from it.
            self.places.tree.remove_part(here.folder, name)
            raise
        finally:
            os.close(part)
        return Staged(candidate, Outcome.DRAINED, verified, here, name)

    def _streamed(self, part: int, candidate: Candidate, name: str) -> Verified:
        verified = self.downloader.into(part, candidate, name)
        self.watch("checked", candidate.key)
        self.places.sync(part, name, modified=verified.facts.modified)
        self.watch("synced", candidate.key)
        return verified

    def _named(self, batch: Sequence[Staged]) -> tuple[list[Staged], list[Result]]:
        named, refused = [], []
        for one in batch:
            try:
                named.append(self.places.name(one))
            except (KeepError, AgainError) as error:
                refused.append(Result.of(one.candidate, error))
            self.watch("renamed", one.candidate.key)
        return named, refused

    def _durable(self, named: Sequence[Staged]) -> tuple[list[Staged], list[Result]]:
        """Those whose names survive a power cut; somebody may have taken a folder away meanwhile."""
        lost: dict[tuple[str, ...], KeepError | AgainError] = {}
        for folder in {one.spot.folder for one in named if one.spot}:
            try:
                self.places.tree.make_durable(folder)
            except (KeepError, AgainError) as error:
                lost[folder] = error
        durable = [one for one in named if not one.spot or one.spot.folder not in lost]
        self._tell("folder synced", durable)
        return durable, [
            Result.of(one.candidate, lost[one.spot.folder]) for one in named if one.spot and one.spot.folder in lost
        ]

    def _tell(self, step: str, staged: Sequence[Staged]) -> None:
        for one in staged:
            self.watch(step, one.candidate.key)
