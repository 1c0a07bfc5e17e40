"""Where an object's file goes, and what is to be done when something is there already."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bulk.drain.bucket import Bucket
from bulk.drain.download import Downloader
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, DiskError, KeepError, Outcome, fault_of
from bulk.drain.paths import parts_of, version_ending
from bulk.drain.results import Staged
from bulk.drain.tree import Spot, TakenError, Tree

_TRIES = 3


@dataclass(frozen=True)
class Places:
    bucket: Bucket
    tree: Tree
    downloader: Downloader

    def look(self, candidate: Candidate) -> Staged | Spot:
        """The file that holds this object already; else where it goes, beside one that holds something else."""
        parts, ending, facts = parts_of(candidate.key), _ending(candidate), None
        for _ in range(2):
            spot, file = self.tree.look_up(parts, ending)
            if file is None:
                return spot
            try:
                facts = facts or self.bucket.require(candidate)
                self.sync_before_reading(file, str(spot))
                verified = self.downloader.of_file(file, candidate, facts)
                if verified:
                    return Staged(candidate, Outcome.HERE, verified, spot, path=str(spot))
            finally:
                os.close(file)
            ending = version_ending(facts.identity)
        raise KeepError(Outcome.FAILED, f"{self.tree.root / str(spot)} is there with another content: move it away")

    def name(self, staged: Staged) -> Staged:
        """Give a `.part` its name. If the name was taken meanwhile, look again where the object belongs."""
        if staged.part is None or staged.spot is None:
            return staged
        spot = staged.spot
        for _ in range(_TRIES):
            try:
                self.tree.rename(staged.part, spot)
                return replace(staged, spot=spot, path=str(spot))
            except TakenError:
                here = self._look_again(staged.candidate, spot, staged.part)
            if isinstance(here, Staged):
                return here
            spot = here
        raise AgainError(Outcome.FAILED, "its name was taken meanwhile")

    def sync(self, file: int, path: str, *, modified: datetime | None = None) -> None:
        """Make a file durable; with the time `modified`, if that is given. DiskError where the disk does not."""
        try:
            if modified:
                os.utime(file, (modified.timestamp(), modified.timestamp()))
            self.tree.sync(file)
        except OSError as error:
            raise DiskError(f"cannot make {path} durable", error) from error

    def sync_before_reading(self, file: int, path: str) -> None:
        """Make a file durable that was there already, and have it read from the disk, not from what is cached of it.

        An error of fsync is told once: the next one says that all is well, and the cache shows what the disk lost.
        """
        self.sync(file, path)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder of somebody else's durable."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise fault_of(f"cannot open {folder}", error) from error
        try:
            self.sync(descriptor, str(folder))
        finally:
            os.close(descriptor)

    def _look_again(self, candidate: Candidate, spot: Spot, part: str) -> Staged | Spot:
        """Where the object belongs by now, in the same folder; else its `.part`, which would stay there, is removed."""
        try:
            here = self.look(candidate)
            if isinstance(here, Spot) and here.folder == spot.folder:
                return here
        except KeepError:
            self.tree.remove_part(spot.folder, part)
            raise
        self.tree.remove_part(spot.folder, part)
        if isinstance(here, Spot):
            raise AgainError(Outcome.FAILED, "its folder has another name by now")
        return here


def _ending(candidate: Candidate) -> str:
    """An older version lies beside the name that the current one has or had."""
    return version_ending(candidate.version_id) if candidate.version_id and not candidate.is_latest else ""
