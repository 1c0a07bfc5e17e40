"""A drainer of a bucket in memory into a real folder, where others act at the worst moments."""

from __future__ import annotations

import hashlib
import io
import time
from datetime import UTC, datetime

from bulk.drain.bucket import Bucket, Facts
from bulk.drain.checksums import expected
from bulk.drain.deletions import Removed
from bulk.drain.download import Downloader
from bulk.drain.journal import Lines
from bulk.drain.listing import Candidate
from bulk.drain.names import Names
from bulk.drain.order import Drainer
from bulk.drain.places import Places
from bulk.drain.rate import Rate
from bulk.drain.stream import Line
from bulk.drain.tree import Tree

NOW = datetime(2026, 1, 1, tzinfo=UTC)
#: Where names are as they are written, as on Linux.
EXACT = Names(lambda folder, name: None)


def no_sync(descriptor):
    """Durability is not what is tested here."""


class MeddledTree(Tree):
    """Another thread acts after a file's name was settled and before it is opened."""

    def __init__(self, root, act, names=EXACT):
        super().__init__(root, no_sync, names=names)
        self._act = act

    def open_file(self, spot):
        self._act()
        return super().open_file(spot)


class MemoryBucket(Bucket):
    """Objects in memory, of which S3 keeps the MD5 as their ETag."""

    def __init__(self, objects):
        self.name, self.objects = "memory", dict(objects)

    def candidates(self):
        return [Candidate(key, len(data), hashlib.md5(data).hexdigest(), NOW) for key, data in self.objects.items()]

    def get(self, candidate, *, start=0, etag=None):
        return self.require(candidate), io.BytesIO(self.objects[candidate.key][start:])

    def head(self, candidate):
        data = self.objects.get(candidate.key)
        if data is None:
            return None
        etag = hashlib.md5(data).hexdigest()
        return Facts(etag, None, len(data), NOW, expected({"ETag": etag}), "", {})

    def delete(self, deletions):
        for one in deletions:
            del self.objects[one.key]
        return {one: Removed(None) for one in deletions}


def drainer(bucket, tree, folder, watch=lambda step, key: None):
    line = Line(
        bucket=bucket, rate=Rate(None, clock=time.monotonic, sleep=time.sleep),
        clock=time.monotonic, sleep=time.sleep, is_stopped=lambda: False,
    )  # fmt: skip
    downloader = Downloader(line=line, twice=False)
    return Drainer(
        bucket=bucket, places=Places(bucket, tree, downloader), downloader=downloader, processed=None,
        processed_by_size=False, quarantine=None, journal=Lines(folder / "journal"), log=Lines(folder / "log"),
        watch=watch,
    )  # fmt: skip
