"""The folder of objects that another program has processed already. It is read and never written."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bulk.drain.durable import DurableFolders

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class ProcessedFolder:
    path: Path
    _durable: DurableFolders = field(default_factory=DurableFolders)

    @contextmanager
    def find(self, parts: Sequence[str]) -> Iterator[tuple[int, Path] | None]:
        """The open file of an object: at its path below the folder, else under its bare name directly in it.

        Its owner may move it away at any moment; the descriptor goes on showing the same bytes.
        """
        for path in (self.path.joinpath(*parts), self.path / parts[-1]):
            descriptor = _opened(path)
            if descriptor is None:
                continue
            try:
                yield descriptor, path
            finally:
                os.close(descriptor)
            return
        yield None

    def make_durable(self, file: Path, sync: Callable[[Path], None]) -> None:
        """The name of a file in it survives a power cut, and so do those of the folders that lead there from here.

        The highest first: what is remembered of a folder then goes for all above it, whichever thread asks.
        """
        folder = file.resolve().parent
        below = [one for one in (folder, *folder.parents) if self.path in one.parents]
        for one in reversed(below):
            if one.parts not in self._durable:
                self._durable.ensure(one.parts, partial(sync, one.parent))
        sync(folder)


def _opened(path: Path) -> int | None:
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None
