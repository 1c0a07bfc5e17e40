"""What was provisioned: the shelve `aws_resources.db`.

It is `shelve.Shelf` with two differences. Reading a pickle can run its code, so this one reads plain values only. And
the file is always one SQLite file in the layout of Python 3.13's `dbm.sqlite3`, where `shelve.open` would take
whichever dbm this Python was built with: other Pythons and other machines read the same file.

Keys are `<local|account/region>/<name>/<resource>`, and `current`.
"""

from __future__ import annotations

import io
import os
import pickle
import shelve
import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cli.exits import CommandError, Exit

FILE_NAME = "aws_resources.db"
CURRENT = "current"
#: What `pickle` raises for bytes that are no pickle, besides its own error.
_BROKEN = (EOFError, ValueError, IndexError, KeyError, AttributeError, TypeError, ImportError)


class PlainUnpickler(pickle.Unpickler):
    """Reads None, numbers, text, bytes and containers of them; names no class and so runs no code."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it names {module}.{name}; only plain values belong in it")


class SqliteDict(MutableMapping[bytes, bytes]):
    """The mapping under the shelf; every change is on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("CREATE TABLE IF NOT EXISTS Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)")

    def __getitem__(self, key: bytes) -> bytes:
        row = self._connection.execute("SELECT value FROM Dict WHERE key = CAST(? AS BLOB)", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return bytes(row[0])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._connection.execute("REPLACE INTO Dict VALUES (CAST(? AS BLOB), CAST(? AS BLOB))", (key, value))

    def setdefault(self, key: bytes, default: bytes) -> bytes:
        """Of all who do this at once, everybody is given what the first one put."""
        put = "INSERT OR IGNORE INTO Dict VALUES (CAST(? AS BLOB), CAST(? AS BLOB))"
        self._connection.execute(put, (key, default))
        return self[key]

    def __delitem__(self, key: bytes) -> None:
        if self._connection.execute("DELETE FROM Dict WHERE key = CAST(? AS BLOB)", (key,)).rowcount == 0:
            raise KeyError(key)

    def __iter__(self) -> Iterator[bytes]:
        # All at once: a reader that is slow, or deletes on the way, must not hold the file.
        return iter([bytes(key) for (key,) in self._connection.execute("SELECT key FROM Dict ORDER BY key").fetchall()])

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT COUNT(*) FROM Dict").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


class PlainShelf(shelve.Shelf[Any]):
    """A shelf that refuses to read anything but plain values."""

    dict: MutableMapping[bytes, bytes]

    def __getitem__(self, key: str) -> Any:
        pickled = self.dict[key.encode()]
        try:
            return PlainUnpickler(io.BytesIO(pickled)).load()
        except _BROKEN as error:
            raise pickle.UnpicklingError(f"{key}: {error}") from error

    def setdefault(self, key: str, default: Any) -> Any:  # type: ignore[override]
        self.dict.setdefault(key.encode(), pickle.dumps(default))
        return self[key]


@contextmanager
def open_state(home: Path) -> Iterator[PlainShelf]:
    """The shelf in `home`, made when absent, readable by its owner only."""
    path = home / FILE_NAME
    try:
        _create_private(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}. Make the folder writable, or set IMAGE_PIPELINE_HOME") from error
    try:
        with closing(PlainShelf(SqliteDict(path))) as shelf:
            yield shelf
    except (sqlite3.DatabaseError, pickle.UnpicklingError) as error:
        if fault := _fault_of_the_place(path, error):
            raise fault from error
        text = f"{path} cannot be read as the list of resources ({error}). Move it away and run `python setup.py`"
        raise CommandError(f"{text}: what exists is found again by its tags") from error


def _fault_of_the_place(path: Path, error: Exception) -> CommandError | None:
    """Where the list is in good order and its place is not, so that nothing needs to be moved away."""
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return CommandError(f"{path} is in use by another command: try again when that has ended")
        case sqlite3.SQLITE_FULL:
            return CommandError(f"{path}: {error}: make room, and run the same command again", Exit.SOME_FAILED)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return CommandError(f"{path}: {error}: make the file and its folder writable, and try again")
    return None


@contextmanager
def copied_state(home: Path) -> Iterator[PlainShelf]:
    """What the shelf in `home` holds, in memory: changes of it are forgotten, and no file is made."""
    copy = PlainShelf({})
    if (home / FILE_NAME).exists():
        with open_state(home) as shelf:
            copy.update(shelf)
    yield copy


def _create_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.close(descriptor)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)


class Resources(MutableMapping[str, str]):
    """The resources of one deployment: the keys of the shelf below `prefix`, without it."""

    def __init__(self, shelf: MutableMapping[str, Any], prefix: str) -> None:
        self._shelf = shelf
        self._prefix = f"{prefix}/"

    def __getitem__(self, key: str) -> str:
        return str(self._shelf[self._prefix + key])

    def __setitem__(self, key: str, value: str) -> None:
        self._shelf[self._prefix + key] = value

    def setdefault(self, key: str, default: str) -> str:
        return str(self._shelf.setdefault(self._prefix + key, default))

    def __delitem__(self, key: str) -> None:
        del self._shelf[self._prefix + key]

    def __iter__(self) -> Iterator[str]:
        length = len(self._prefix)
        return (key[length:] for key in self._shelf if key.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def require(self, key: str, script: str) -> str:
        """The value of `key`, which `script` makes; CommandError where that has not run yet."""
        if key not in self:
            known = f"setup has not come to {key} yet" if len(self) else f"nothing is set up as {self._prefix[:-1]} yet"
            raise CommandError(f"{known}: run `python {script}` first")
        return self[key]
