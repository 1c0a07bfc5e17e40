"""The folder of objects that another program has processed already. It is read and never written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class ProcessedFolder:
    path: Path

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


def _opened(path: Path) -> int | None:
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None
