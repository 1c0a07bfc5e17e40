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
from bulk.drain.paths import parts_of, version_name
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
        spot, facts = self._home(candidate), None
        for _ in range(2):
            file = self.tree.open_file(spot)
            if file is None:
                return spot
            try:
                facts = facts or self.bucket.require(candidate)
                verified = self.downloader.of_file(file, candidate, facts)
                if verified:
                    self.sync(file, str(spot))
                    return Staged(candidate, Outcome.HERE, verified, spot, path=str(spot))
            finally:
                os.close(file)
            spot = self._beside(candidate, facts.identity)
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
                here = self.look(staged.candidate)
            if isinstance(here, Staged):
                self.tree.remove_part(spot.folder, staged.part)
                return here
            if here.folder != spot.folder:
                break
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

    def _home(self, candidate: Candidate) -> Spot:
        """An older version lies beside the name that the current one has or had."""
        if candidate.version_id and not candidate.is_latest:
            return self._beside(candidate, candidate.version_id)
        return self.tree.settle(parts_of(candidate.key))

    def _beside(self, candidate: Candidate, identity: str) -> Spot:
        spot = self.tree.settle(parts_of(candidate.key))
        return replace(spot, name=version_name(spot.name, identity))
