"""Which keys a list has named already: as many as there are, in memory that stays as it is."""

from __future__ import annotations

import hashlib
import sqlite3
from types import TracebackType

from cli.exits import CommandError, Exit

#: Pages of 4 kB that stay in memory; what does not fit lies in a temporary file, which no one else can open.
_CACHE_PAGES = 2_000


class Seen:
    """Tells where a key came first. It remembers digests of 16 bytes: two keys with the same one will not be met."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in (f"cache_size = {_CACHE_PAGES}", "journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        # One transaction that never ends: nothing here is to outlive the process.
        self._database.execute("BEGIN")

    def __enter__(self) -> Seen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def first(self, key: str, line: int) -> int:
        """The line that named `key` first, which is `line` where no earlier one did. CommandError where the disk takes
        no more."""
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        try:
            added = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (digest, line))
            if added.rowcount == 1:
                return line
            [(first,)] = self._database.execute("SELECT line FROM seen WHERE digest = ?", (digest,))
        except sqlite3.OperationalError as error:
            cure = "make room in TMPDIR (/var/tmp where it is not set), or set SQLITE_TMPDIR to another folder"
            text = f"SQLite's temporary file of the list's keys cannot be written ({error}): {cure}"
            raise CommandError(text, Exit.SOME_FAILED) from error
        return int(first)
