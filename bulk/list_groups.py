"""Dividing millions of images into batches, in memory that does not grow with them: they wait in temporary files."""

from __future__ import annotations

import heapq
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from bulk.list_lines import Image

#: Characters of names that may wait in memory, with what Python adds to each.
_WAITING = 16_000_000
_OVERHEAD = 80


class Groups:
    """`count` batches; each image goes to the one that is lightest so far, so none is heavier than it must be.

    Weighed in bytes where all sizes are known, else in images. `folder` takes the temporary files: as much as the list.
    """

    def __init__(self, count: int, folder: Path) -> None:
        self.images = 0
        self.bytes: int | None = 0
        self._count = count
        self._folder = Path(tempfile.mkdtemp(prefix=".file-list-", dir=folder))
        self._spool = (self._folder / "all").open("w+", encoding="ascii")
        self._waiting: dict[int, list[str]] = {}
        self._held = 0

    def __enter__(self) -> Groups:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, image: Image) -> None:
        self.images += 1
        self.bytes = None if self.bytes is None or image.size is None else self.bytes + image.size
        self._spool.write(f"{image.size or 0} {json.dumps(image.name)}\n")

    def divide(self) -> None:
        """After the last `add`: whether all sizes are known is clear only now."""
        self._spool.seek(0)
        lightest = [(0, number) for number in range(1, self._count + 1)]
        for line in self._spool:
            size, _, name = line.partition(" ")
            weight, number = lightest[0]
            heapq.heapreplace(lightest, (weight + (1 if self.bytes is None else int(size)), number))
            self._put(number, name)
        self._flush()
        self._spool.truncate(0)

    def names(self, number: int) -> Iterator[str]:
        """The names of one batch as JSON strings, in the order in which they came."""
        path = self._path(number)
        if path.exists():
            with path.open(encoding="ascii") as file:
                yield from (line.rstrip("\n") for line in file)

    def _put(self, number: int, name: str) -> None:
        self._waiting.setdefault(number, []).append(name)
        self._held += len(name) + _OVERHEAD
        if self._held >= _WAITING:
            self._flush()

    def _flush(self) -> None:
        # One file at a time is open: there may be more batches than a process may have files.
        for number, names in self._waiting.items():
            with self._path(number).open("a", encoding="ascii") as file:
                file.writelines(names)
        self._waiting.clear()
        self._held = 0

    def _path(self, number: int) -> Path:
        return self._folder / str(number)
