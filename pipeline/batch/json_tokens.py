"""JSON of strings in lists, mark by mark, from text that comes in chunks: what json.loads would need all of at once."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(r'[ \t\r\n]*("(?:[^"\\]|\\.)*"|[{}\[\]:,])', re.DOTALL)
#: No key, however escaped, makes a longer string than that.
_LONGEST_TOKEN = 16_384


class FileListError(ValueError):
    """The text is no file list; says where it ends to be one."""


class Tokens:
    """The strings and marks of a JSON text that comes in chunks; holds one chunk at a time."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self._text = ""
        self._at = 0
        self._before = 0

    @property
    def place(self) -> str:
        return f"character {self._before + self._at}"

    def next(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        while match is None:
            self._require_prefix()
            if not self._more():
                raise FileListError(f"it ends in the middle, at {self.place}")
            match = _TOKEN.match(self._text, self._at)
        self._at = match.end()
        return match[1]

    def expect(self, mark: str) -> None:
        token = self.next()
        if token != mark:
            raise FileListError(f"{self.place}: {token[:40]} stands where {mark} should")

    def expect_end(self) -> None:
        while not self._text[self._at :].strip():
            if not self._more():
                return
        raise FileListError(f"{self.place}: something follows the end of the list")

    def _require_prefix(self) -> None:
        """What is left must be the beginning of a token, or nothing."""
        rest = self._text[self._at :].lstrip(" \t\r\n")
        if rest and (rest[0] != '"' or len(rest) > _LONGEST_TOKEN):
            raise FileListError(f"{self.place}: {rest[:20]!r} is not expected there")

    def _more(self) -> bool:
        chunk = next(self._chunks, "")
        self._before += self._at
        self._text, self._at = self._text[self._at :] + chunk, 0
        return bool(chunk)
