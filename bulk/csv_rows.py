"""Reads the CSV file of keys: one object to a line under the header `path`, however the file came about.

Python's csv module would lose rows here: an opened quote swallows the rest of the file, a byte order mark becomes part
of the header, and a field of 200 kB is an error. So a row never reaches over the end of its line, and each line becomes
either a `Row` or an `Omitted` that says why, in the order of the file and in memory that does not grow with it.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import cast

from bulk.seen import Seen
from bulk.text_lines import MAX_LINE, lines
from cli.exits import CommandError
from pipeline.keys import MAX_KEY_BYTES

HEADER = "path"
STDIN = "-"
_DELIMITERS = ",;\t|"
_SHOWN = 80
_URL = re.compile(r"s3://([^/]*)/?(.*)", re.IGNORECASE | re.DOTALL)
#: A field in quotes and the blanks around it; without its text where the quote is not closed.
_QUOTED = re.compile(r'\s*"(?:((?:[^"]|"")*)"[ \t]*)?')
#: The same where tabs part fields.
_QUOTED_BETWEEN_TABS = re.compile(r'[^\S\t]*"(?:((?:[^"]|"")*)" *)?')


@dataclass(frozen=True)
class Row:
    """An object that is to be done: the line that names it first, counted from 1, and its plain key."""

    line: int
    key: str


@dataclass(frozen=True)
class Omitted:
    """A line that names nothing to do: the beginning of its text, and why. `is_fault`: the person should mend it."""

    line: int
    text: str
    reason: str
    is_fault: bool


@contextmanager
def open_list(path: str) -> Iterator[io.BufferedReader]:
    """The list at `path`, or from standard input for "-", as a file that can be read again and again.

    What comes through a pipe lies in a temporary file meanwhile. CommandError where the list cannot be read.
    """
    try:
        file = cast(io.BufferedReader, sys.stdin.buffer) if path == STDIN else Path(path).open("rb")
    except OSError as error:
        raise CommandError(f"the CSV file {path} cannot be read: {error.strerror}") from error
    with file:
        if path != STDIN and file.seekable():
            yield file
            return
        with TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield cast(io.BufferedReader, copy)


def read_rows(file: io.BufferedReader, bucket: str) -> Generator[Row | Omitted, None, None]:
    """Every line below the header. URLs of `bucket` become keys, those of other buckets are omitted.

    UTF-8 or UTF-16, with or without mark; a line that is no UTF-8 is taken for Windows-1252, or else Latin-1. Lines end
    with LF, CRLF or CR; fields are parted by what parts the header's: comma, semicolon, tab or bar. In a file of one
    column the whole line is the key. CommandError where several columns have headers and none is `path`.
    """
    with Seen() as seen:
        columns: _Columns | None = None
        for number, text in enumerate(lines(file), 1):
            if columns is None and text.strip() and len(text) < MAX_LINE:
                columns = _Columns.of(text)
                if columns.is_header:
                    continue
            yield _row(number, text, columns or _ONLY_COLUMN, bucket, seen)


@dataclass(frozen=True)
class _Columns:
    """Which field of a line holds the path, and what parts fields; no delimiter: the line is the path."""

    delimiter: str | None = None
    index: int = 0
    is_header: bool = False

    @classmethod
    def of(cls, line: str) -> _Columns:
        """What the first line says. Where it is no header, it is a row itself: then the file has no header."""
        split = {delimiter: _fields(line, delimiter) or [] for delimiter in (None, *_DELIMITERS)}
        for delimiter, fields in split.items():
            names = [field.strip().lower() for field in fields]
            if HEADER in names and (delimiter or len(names) == 1):
                return cls(delimiter, names.index(HEADER), is_header=True)
        if all(len(fields) < 2 for fields in split.values()):
            return _ONLY_COLUMN
        text = f"the first line of the CSV file, {_shown(line)!r}, names no column {HEADER!r}"
        raise CommandError(f"{text}: put the header {HEADER} over the column with the keys")


_ONLY_COLUMN = _Columns()


def _row(number: int, text: str, columns: _Columns, bucket: str, seen: Seen) -> Row | Omitted:
    def omitted(reason: str, *, is_fault: bool = True) -> Omitted:
        return Omitted(number, _shown(text), reason, is_fault)

    if not text.strip(f"{columns.delimiter or ''} \t"):
        return omitted("the line is blank", is_fault=False)
    if len(text) >= MAX_LINE:
        return omitted(f"the line has more than {MAX_LINE:,} characters")
    fields = _fields(text, columns.delimiter)
    if fields is None:
        return omitted("a quote is opened and not closed before the end of its field")
    if len(fields) <= columns.index or not fields[columns.index].strip():
        return omitted(f"the column {HEADER} is empty")
    key, fault = _key(fields[columns.index], bucket)
    if fault:
        return omitted(fault)
    first = seen.first(key, number)
    return Row(number, key) if first == number else omitted(f"the same as line {first}", is_fault=False)


def _key(field: str, bucket: str) -> tuple[str, str | None]:
    """(the key that a field names, what is wrong with it)."""
    url = _URL.fullmatch(field.strip())
    if url and url[1] != bucket:
        return field, f"it names the bucket {url[1]!r}, and this run is for {bucket!r}"
    key = url[2] if url else field
    size = len(key.encode())
    if not key:
        return key, "it names a bucket and no object"
    if "\0" in key:
        return key, "the key holds a NUL character"
    if size > MAX_KEY_BYTES:
        return key, f"the key has {size:,} bytes, more than the {MAX_KEY_BYTES:,} that S3 allows"
    return key, None


def _fields(line: str, delimiter: str | None) -> list[str] | None:
    """The fields of a line with their quotes taken off; None where a quoted field does not end as it should."""
    fields: list[str] = []
    position = 0
    in_quotes = _QUOTED_BETWEEN_TABS if delimiter == "\t" else _QUOTED
    while True:
        if quoted := in_quotes.match(line, position):
            if quoted[1] is None:
                return None
            fields.append(quoted[1].replace('""', '"'))
            end = quoted.end()
        else:
            end = line.find(delimiter, position) if delimiter else -1
            end = len(line) if end < 0 else end
            fields.append(line[position:end])
        if end == len(line):
            return fields
        if line[end] not in (delimiter or _DELIMITERS):
            return None
        position = end + 1


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
