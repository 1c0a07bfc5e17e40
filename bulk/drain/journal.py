"""Files of JSON objects that are only ever added to: the journal, durable before anything is removed, and the log."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bulk.drain.outcomes import DiskError

#: How our own files are opened: a link in their place is not followed.
APPEND_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Lines:
    """A file of JSON objects, one a line, that is only ever added to."""

    def __init__(self, path: Path, sync: Callable[[int], None] | None = None) -> None:
        self._path, self._sync = path, sync
        self._file = os.open(path, APPEND_FLAGS, 0o600)
        end = os.fstat(self._file).st_size
        if end and os.pread(self._file, 1, end - 1) != b"\n":
            # Whoever wrote here last died in the middle of a line.
            os.write(self._file, b"\n")

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Write them and, where `sync` was given, make them durable; DiskError where that fails."""
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        try:
            while data:
                data = data[os.write(self._file, data) :]
            if self._sync:
                self._sync(self._file)
        except OSError as error:
            raise DiskError(f"cannot write {self._path}", error) from error

    def close(self) -> None:
        os.close(self._file)
