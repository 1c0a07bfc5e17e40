"""Bytes on their way from S3: resumed where they broke, at the rate allowed, and not for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bulk.drain import checksums
from bulk.drain.bucket import Bucket, Facts
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, Outcome
from bulk.drain.rate import Rate
from pipeline.aws_errors import retried
from pipeline.errors import RetryError

CHUNK = 1024 * 1024
#: Bytes read from a connection at once: larger ones cost more in memory than they save in calls.
_PIECE = 64 * 1024
#: An object has this many seconds, and as many more as its bytes take at this rate: a body may drip for ever.
PATIENCE = 120
SLOWEST = 20_000.0
#: Tries without a byte of progress, each of which botocore has repeated already.
_ATTEMPTS = 2


class StoppedError(Exception):
    """The run ends; what has arrived so far stays in its `.part`."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What all streams of a run share. `slowest`: below so many bytes a second one is given up in the end."""

    bucket: Bucket
    rate: Rate
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    is_stopped: Callable[[], bool]
    slowest: float = SLOWEST


class Stream:
    """The chunks of one object, from `offset` on; a connection that breaks is made again where it broke.

    `choose` names the algorithm to hash the bytes by, once the facts are known, or raises.
    """

    def __init__(self, line: Line, candidate: Candidate, choose: Callable[[Facts], str]) -> None:
        self._line, self._candidate, self._choose = line, candidate, choose
        self._deadline = line.clock() + PATIENCE + candidate.size / line.slowest
        self.facts: Facts | None = None
        self.offset = 0

    @property
    def size(self) -> int:
        assert self.facts
        return self.facts.size

    def begin(self, facts: Facts) -> None:
        self.hasher = checksums.HASHERS[self._choose(facts)]()
        self.facts = facts

    def count(self, chunks: Iterator[bytes]) -> None:
        """Take bytes that are there already as if they had come."""
        for chunk in chunks:
            self.hasher.update(chunk)
            self.offset += len(chunk)

    def __iter__(self) -> Iterator[bytes]:
        failures = 0
        while self.facts is None or self.offset < self.size:
            before = self.offset
            try:
                yield from self._connected()
            except RetryError:
                failures = 0 if self.offset > before else failures + 1
                if failures >= _ATTEMPTS:
                    raise
                self._line.sleep(min(0.2 * 2**failures, 5))
            self._check_time()

    def _connected(self) -> Iterator[bytes]:
        etag = self.facts.etag if self.facts else None
        facts, body = self._line.bucket.get(self._candidate, start=self.offset, etag=etag)
        with closing(body):
            if self.facts is None:
                self.begin(facts)
            for chunk in self._read(body):
                self.hasher.update(chunk)
                self.offset += len(chunk)
                yield chunk

    def _read(self, body: Any) -> Iterator[bytes]:
        left = self.size - self.offset
        while left:
            self._check_time()
            with retried(f"GetObject {self._candidate.key}"):
                chunk = _some(body, min(left, _PIECE))
            if not chunk:
                raise RetryError(f"GetObject {self._candidate.key}: the body ended {left} bytes early")
            self._line.rate.take(len(chunk))
            left -= len(chunk)
            yield chunk

    def _check_time(self) -> None:
        if self._line.is_stopped():
            raise StoppedError
        if self._line.clock() > self._deadline:
            raise AgainError(Outcome.FAILED, f"slower than {self._line.slowest / 1000:.0f} kB/s")


def _some(body: Any, count: int) -> bytes:
    """What the connection gives in one go: a whole chunk would be waited for as long as a byte comes now and then."""
    return bytes(body.read1(count))
