"""The lines of which a file list is made: from a text file, from standard input, or from S3's own listing."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cli.exits import CommandError
from pipeline.batch.file_list import source_of

STDIN = "-"
#: Bytes of one line; a longer one is no name of an object, which has 1,024 at most.
_MAX_LINE = 16_384
_SHOWN = 80
#: `s3://bucket/key`, a tab and the size in bytes, as listings of other tools are easily turned into.
_SIZED = re.compile(r"(.+)\t([0-9]{1,15})", re.DOTALL)


@dataclass(frozen=True)
class Image:
    """One image: its line, counted from 1, its name `s3://<bucket>/<key>`, and its bytes where they are known."""

    line: int
    name: str
    size: int | None = None


@dataclass(frozen=True)
class BadLine:
    """A line that names no image: the beginning of its text, and why."""

    line: int
    text: str
    reason: str


@contextmanager
def open_lines(path: str) -> Iterator[Iterator[Image | BadLine]]:
    """The lines of the file at `path`, or of standard input for "-". CommandError where it cannot be read."""
    if path == STDIN:
        yield read_lines(sys.stdin.buffer)
        return
    try:
        file = Path(path).open("rb")
    except OSError as error:
        raise CommandError(f"the list {path} cannot be read: {error.strerror}") from error
    with file:
        yield read_lines(file)


def read_lines(file: BinaryIO) -> Iterator[Image | BadLine]:
    """Every line that is not blank. UTF-8 with or without mark; lines end with LF or CRLF."""
    number = 0
    while data := file.readline(_MAX_LINE):
        number += 1
        if len(data) == _MAX_LINE and not data.endswith(b"\n"):
            _skip_rest_of_line(file)
            yield BadLine(number, _shown(data), "the line is too long")
        elif entry := _entry(number, data.removeprefix(b"\xef\xbb\xbf") if number == 1 else data):
            yield entry


def _skip_rest_of_line(file: BinaryIO) -> None:
    while (data := file.readline(_MAX_LINE)) and not data.endswith(b"\n"):
        pass


def _entry(number: int, data: bytes) -> Image | BadLine | None:
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
        if not text.strip():
            return None
        sized = _SIZED.fullmatch(text)
        name, size = (sized[1], int(sized[2])) if sized else (text, None)
        source_of(name)
    except UnicodeDecodeError:
        return BadLine(number, _shown(data), "it is no UTF-8")
    except ValueError as error:
        return BadLine(number, _shown(data), str(error))
    return Image(number, name, size)


def _shown(data: bytes) -> str:
    return data[:_SHOWN].decode(errors="replace").rstrip()
