"""The order of things, for one object and for the many that are removed together. No other module knows it.

    stage    processed already? here already? else stream → check → fsync
    commit   rename → fsync folder → journal → remove → log

An object is removed only after its bytes were verified and are durable under their name, whatever kills the program in
between. `STEPS` is that list; `watch` is told of each step when it is done.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bulk.drain.bucket import Bucket, Deletion, Facts
from bulk.drain.download import Downloader, Verified
from bulk.drain.journal import Lines
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, DiskError, KeepError, Outcome
from bulk.drain.paths import partial_name, parts_of, version_name
from bulk.drain.processed import ProcessedFolder
from bulk.drain.quarantine import Quarantine
from bulk.drain.removal import End, remove
from bulk.drain.tree import Spot, TakenError, Tree

STEPS = ("begun", "streamed", "checked", "synced", "renamed", "folder synced", "journalled", "removed", "logged")

#: Told of a step and the object's key.
Watch = Callable[[str, str], None]


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


@dataclass(frozen=True)
class Result:
    """How it ended for one object; `again`: it may go better in a moment."""

    candidate: Candidate
    outcome: Outcome
    size: int
    reason: str = ""
    path: str = ""
    again: bool = False
    is_denied: bool = False


@dataclass(frozen=True, kw_only=True)
class Drainer:
    """What one object needs to be drained."""

    bucket: Bucket
    tree: Tree
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
        placed, results = self._placed(batch)
        if not placed:
            return results
        for folder in {one.spot.folder for one in placed if one.spot}:
            self.tree.make_durable(folder)
        self._tell("folder synced", placed)
        self.journal.add(self._line(one) for one in placed)
        self._tell("journalled", placed)
        ends = remove(self.bucket, [one.deletion for one in placed], self.downloader.sleep)
        self._tell("removed", placed)
        ended = [(one, ends[one.deletion]) for one in placed]
        self.log.add(self._line(one) | _log_of(one, end) for one, end in ended)
        self._tell("logged", placed)
        return results + [_result(one, end) for one, end in ended]

    def remove_marker(self, marker: Candidate) -> Result:
        """A delete marker hides no bytes of its own; it goes after the versions that it is newer than."""
        deletion = Deletion(marker.key, marker.etag, marker.version_id)
        end = remove(self.bucket, [deletion], self.downloader.sleep)[deletion]
        return Result(marker, end.outcome or Outcome.MARKER, 0, end.reason, again=end.again)

    def refreshed(self, candidate: Candidate) -> Candidate:
        """The object as it is now; KeepError where it is gone."""
        facts = self._facts(candidate)
        return replace(candidate, size=facts.size, etag=facts.etag, modified=facts.modified)

    def _processed(self, candidate: Candidate) -> Staged | None:
        if self.processed is None:
            return None
        with self.processed.find(parts_of(candidate.key)) as found:
            if found is None:
                return None
            file, path = found
            verified = self._as_processed(file, candidate)
            if verified is None:
                raise KeepError(Outcome.DIFFERENT, f"{path} has another content: kept in S3")
            self._sync(file, str(path))
        return Staged(candidate, Outcome.PROCESSED, verified, path=str(path))

    def _as_processed(self, file: int, candidate: Candidate) -> Verified | None:
        facts = self._facts(candidate)
        if self.processed_by_size and os.fstat(file).st_size == facts.size:
            return Verified(facts, "", "name and size")
        return self.downloader.of_file(file, candidate, facts)

    def _fetched(self, candidate: Candidate) -> Staged:
        here = self._here(candidate, self._home(candidate))
        if isinstance(here, Staged):
            return here
        name = partial_name(candidate.key, candidate.version_id or candidate.etag)
        part = self.tree.open_part(here.folder, name)
        try:
            verified = self._streamed(part, candidate, name)
        except (KeepError, DiskError):
            # After an error of the disk what is cached of it may look well and be lost: nothing shall go on from it.
            self.tree.remove_part(here.folder, name)
            raise
        finally:
            os.close(part)
        return Staged(candidate, Outcome.DRAINED, verified, here, name)

    def _streamed(self, part: int, candidate: Candidate, name: str) -> Verified:
        verified = self.downloader.into(part, candidate, name)
        self.watch("checked", candidate.key)
        self._sync(part, name, modified=verified.facts.modified)
        self.watch("synced", candidate.key)
        return verified

    def _here(self, candidate: Candidate, spot: Spot) -> Staged | Spot:
        """The file that holds this object already; else where it goes, beside one that holds something else."""
        facts = None
        for _ in range(2):
            file = self.tree.open_file(spot)
            if file is None:
                return spot
            try:
                facts = facts or self._facts(candidate)
                verified = self.downloader.of_file(file, candidate, facts)
                if verified:
                    self._sync(file, str(spot))
                    return Staged(candidate, Outcome.HERE, verified, spot, path=str(spot))
            finally:
                os.close(file)
            spot = self._beside(candidate, facts.identity)
        raise KeepError(Outcome.FAILED, f"{self.tree.root / str(spot)} is there with another content: move it away")

    def _placed(self, batch: Sequence[Staged]) -> tuple[list[Staged], list[Result]]:
        placed, results = [], []
        for one in batch:
            try:
                placed.append(self._place(one))
            except (KeepError, AgainError) as error:
                results.append(result_of(one.candidate, error))
            self.watch("renamed", one.candidate.key)
        return placed, results

    def _place(self, staged: Staged) -> Staged:
        """Give a `.part` its name. If the name was taken meanwhile, look again where the object belongs."""
        if staged.part is None or staged.spot is None:
            return staged
        spot = staged.spot
        for _ in range(3):
            try:
                self.tree.rename(staged.part, spot)
            except TakenError:
                here = self._here(staged.candidate, self._home(staged.candidate))
            else:
                return replace(staged, spot=spot, path=str(spot))
            if isinstance(here, Staged):
                self.tree.remove_part(spot.folder, staged.part)
                return here
            spot = here
        raise AgainError(Outcome.FAILED, "its name was taken again and again")

    def _home(self, candidate: Candidate) -> Spot:
        """Where the object goes: an older version beside the name that the current one has or had."""
        if candidate.version_id and not candidate.is_latest:
            return self._beside(candidate, candidate.version_id)
        return self.tree.settle(parts_of(candidate.key))

    def _beside(self, candidate: Candidate, identity: str) -> Spot:
        spot = self.tree.settle(parts_of(candidate.key))
        return replace(spot, name=version_name(spot.name, identity))

    def _facts(self, candidate: Candidate) -> Facts:
        facts = self.bucket.head(candidate)
        if facts is None:
            raise KeepError(Outcome.GONE, "removed by somebody else")
        return facts

    def _sync(self, file: int, path: str, *, modified: datetime | None = None) -> None:
        try:
            if modified:
                os.utime(file, (modified.timestamp(), modified.timestamp()))
            self.tree.sync(file)
        except OSError as error:
            raise DiskError(f"cannot make {path} durable", error) from error

    def _tell(self, step: str, placed: Sequence[Staged]) -> None:
        for one in placed:
            self.watch(step, one.candidate.key)

    def _line(self, staged: Staged) -> dict[str, Any]:
        facts = staged.verified.facts
        return {
            "at": self.now().isoformat(timespec="milliseconds"),
            "bucket": self.bucket.name,
            "key": staged.candidate.key,
            "path": staged.path,
            "bytes": facts.size,
            "checksum": staged.verified.checksum,
            "verified": staged.verified.how,
            "etag": facts.etag,
            "version": facts.version_id,
            "content_type": facts.content_type,
            "metadata": facts.metadata,
        }


def result_of(candidate: Candidate, error: KeepError | AgainError) -> Result:
    """The end of an object that is not removed."""
    return Result(candidate, error.outcome, candidate.size, error.reason, again=isinstance(error, AgainError))


def _result(staged: Staged, end: End) -> Result:
    size, outcome = staged.verified.facts.size, end.outcome or staged.outcome
    return Result(staged.candidate, outcome, size, end.reason, staged.path, end.again, end.is_denied)


def _log_of(staged: Staged, end: End) -> dict[str, Any]:
    outcome = {"outcome": (end.outcome or staged.outcome).value}
    return outcome | ({"reason": end.reason} if end.reason else {}) | ({"marker": end.marker} if end.marker else {})
