"""What has become of every image of a run, on disk: whoever runs the same command again goes on from there.

One SQLite file beside the log. Each image is written when it has ended, so that `kill -9` at any moment costs at most
the images that were under way, and for these S3 itself tells: a compressed object is marked.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from bulk.compress.outcome import UNFINISHED, Done, Outcome
from bulk.csv_rows import Omitted, Row
from cli.exits import CommandError, Exit

_COLUMNS = ("line", "key", "outcome", "code", "reason", "before", "after", "etag_before", "etag_after")
_TABLES = """
CREATE TABLE IF NOT EXISTS images
    (key TEXT PRIMARY KEY, line INTEGER, outcome TEXT, code TEXT, reason TEXT,
     before INTEGER, after INTEGER, etag_before TEXT, etag_after TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS omitted (line INTEGER PRIMARY KEY, text TEXT, reason TEXT, is_fault INTEGER);
CREATE TABLE IF NOT EXISTS state (finished INTEGER);
"""
_AT_ONCE = 500
#: SQLite asks for disk space in pages of this many kilobytes of memory.
_CACHE_KILOBYTES = 8_000


@dataclass(frozen=True)
class Group:
    """The images of one outcome and code, counted, and their bytes."""

    outcome: str
    code: str
    images: int
    before: int
    after: int


def path_of(folder: Path, *identity: str) -> Path:
    """The journal of a run, the same for the same command: `identity` is what makes one run another."""
    digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:12]
    return folder / f"compress_images_{digest}.journal"


class Journal:
    """An open journal, of which no other run can be the owner meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._database = sqlite3.connect(path, isolation_level=None, timeout=0)
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
                self._database.execute(f"PRAGMA {pragma}")
            self._database.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
            self._database.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise CommandError(f"another run with this command is at work: it holds {path}") from error
            text = f"the journal {path} cannot be used ({error}): move it away, or set --log_dir"
            raise CommandError(text) from error

    def close(self) -> None:
        self._database.close()

    @property
    def is_finished(self) -> bool:
        """Whether the run that it tells of came to its end; also when there was none."""
        return bool(self._database.execute("SELECT 1 FROM state").fetchone()) or not self.count()

    def count(self, *outcomes: Outcome) -> int:
        marks = ", ".join("?" * len(outcomes))
        where = f"WHERE outcome IN ({marks})" if outcomes else ""
        return int(self._database.execute(f"SELECT COUNT(*) FROM images {where}", outcomes).fetchone()[0])

    def begin(self) -> None:
        """Forget the run before, if it was finished; what was wrong with its list is told anew, whole as it is read."""
        for table in ("images", "omitted", "state") if self.is_finished else ("omitted",):
            self._change(f"DELETE FROM {table}")

    def finish(self) -> None:
        self._change("INSERT INTO state VALUES (1)")

    def has(self, row: Row) -> bool:
        """Whether the image has ended, other than in a way that is worth another try."""
        found = self._database.execute("SELECT outcome FROM images WHERE key = ?", (row.key,)).fetchone()
        return found is not None and found[0] not in UNFINISHED

    def write(self, done: Done) -> None:
        marks = ", ".join("?" * len(_COLUMNS))
        values = [getattr(done, name) for name in _COLUMNS]
        self._change(f"REPLACE INTO images ({', '.join(_COLUMNS)}) VALUES ({marks})", values)

    def omit(self, omitted: Omitted) -> None:
        values = (omitted.line, omitted.text, omitted.reason, omitted.is_fault)
        self._change("REPLACE INTO omitted VALUES (?, ?, ?, ?)", values)

    def rows(self, outcome: Outcome) -> Iterator[Row]:
        """The images that ended so, in order of their keys; others may be written meanwhile."""
        last = ""
        query = "SELECT line, key FROM images WHERE outcome = ? AND key > ? ORDER BY key LIMIT ?"
        while page := self._database.execute(query, (outcome, last, _AT_ONCE)).fetchall():
            yield from (Row(line, key) for line, key in page)
            last = page[-1][1]

    def give_up(self) -> None:
        """What was tried often enough has failed."""
        self._change("UPDATE images SET outcome = ? WHERE outcome IN (?, ?)", (Outcome.FAILED, *UNFINISHED))

    def _change(self, statement: str, values: Sequence[object] = ()) -> None:
        """CommandError where the disk takes no more; what was written stays, and the next run goes on from there."""
        try:
            self._database.execute(statement, values)
        except sqlite3.OperationalError as error:
            text = f"the journal {self.path} cannot be written ({error}): make room"
            raise CommandError(f"{text}, and run the same command again to go on", Exit.SOME_FAILED) from error

    def images(self) -> Iterator[Done]:
        names = ", ".join(_COLUMNS)
        for values in self._database.execute(f"SELECT {names} FROM images ORDER BY line"):
            found = dict(zip(_COLUMNS, values, strict=True))
            yield Done(**{**found, "outcome": Outcome(found["outcome"])})

    def omitted(self) -> Iterator[Omitted]:
        query = "SELECT line, text, reason, is_fault FROM omitted ORDER BY line"
        for line, text, reason, is_fault in self._database.execute(query):
            yield Omitted(line, text, reason, bool(is_fault))

    def groups(self) -> list[Group]:
        query = (
            "SELECT outcome, code, COUNT(*), SUM(COALESCE(before, 0)), SUM(COALESCE(after, before, 0)) "
            "FROM images GROUP BY outcome, code ORDER BY outcome, code"
        )
        return [Group(*values) for values in self._database.execute(query)]

    def omissions(self) -> tuple[int, int]:
        """How many lines of the list named nothing to do, and how many of these the person should mend."""
        count, faults = self._database.execute("SELECT COUNT(*), COALESCE(SUM(is_fault), 0) FROM omitted").fetchone()
        return int(count), int(faults)


assert set(_COLUMNS) < {field.name for field in fields(Done)}
