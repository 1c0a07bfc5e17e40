"""The lines of a text file of whatever encoding, with whatever ends, one after the other."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

#: Characters of one line; what is longer is no list of anything.
MAX_LINE = 1_000_000
_UNDECODED = re.compile("[\udc80-\udcff]")
#: The first bytes of UTF-16, with or without its mark; without it, a text that begins with ASCII is told by its zeros.
_UTF_16 = ((rb"\xff\xfe", "utf-16"), (rb"\xfe\xff", "utf-16"), (rb"[^\0]\0", "utf-16-le"), (rb"\0[^\0]", "utf-16-be"))


def lines(file: io.BufferedReader) -> Iterator[str]:
    """The lines without their ends; of one that is too long, only the beginning."""
    encoding = _encoding(file.peek(4)[:4])
    errors = "surrogateescape" if encoding == "utf-8" else "replace"
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline=None)
    try:
        mark = "\ufeff"
        while line := text.readline(MAX_LINE):
            if not line.endswith("\n"):
                _skip_rest(text, len(line))
            yield _decoded(line.removesuffix("\n").removeprefix(mark))
            mark = ""
    finally:
        text.detach()


def _skip_rest(text: io.TextIOWrapper, size: int) -> None:
    while size == MAX_LINE and (more := text.readline(MAX_LINE)) and not more.endswith("\n"):
        size = len(more)


def _encoding(start: bytes) -> str:
    return next((encoding for pattern, encoding in _UTF_16 if re.match(pattern, start, re.DOTALL)), "utf-8")


def _decoded(line: str) -> str:
    """The line itself, or, where it was no UTF-8, what Windows or else Latin-1 makes of its bytes."""
    if line.isascii() or not _UNDECODED.search(line):
        return line
    raw = line.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
