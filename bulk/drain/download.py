"""One object's bytes: into a `.part`, on where they stopped, and verified against what S3 says of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from bulk.drain import checksums
from bulk.drain.bucket import Bucket, Facts
from bulk.drain.checksums import SHA256, Expected
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, KeepError, Outcome, fault_of
from bulk.drain.rate import Rate
from pipeline.aws_errors import retried
from pipeline.errors import RetryError

CHUNK = 1024 * 1024
#: From this size on, what an earlier run has left in the `.part` is kept.
RESUMED_FROM = 8 * 1024 * 1024
#: An object has this many seconds, and as many more as its bytes take at this rate: a body may drip for ever.
PATIENCE = 120
SLOWEST = 20_000.0
#: Tries without a byte of progress, each of which botocore has repeated already.
_ATTEMPTS = 2


@dataclass(frozen=True)
class Verified:
    """Bytes that are what S3 says: what was compared, in words for the log."""

    facts: Facts
    checksum: str
    how: str


class StoppedError(Exception):
    """The run ends; what has arrived so far stays in its `.part`."""


@dataclass(frozen=True, kw_only=True)
class Downloader:
    """`twice`: objects that S3 has no checksum of are downloaded twice and compared; else they stay where they are."""

    bucket: Bucket
    rate: Rate
    twice: bool
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    is_stopped: Callable[[], bool]
    streamed: Callable[[str], None] = lambda key: None
    newest: datetime | None = None
    slowest: float = SLOWEST

    def into(self, part: int, candidate: Candidate, path: str) -> Verified:
        """Fill the open file with the object. AgainError where it changes meanwhile; the caller syncs and renames."""
        stream = _Stream(self, candidate)
        if candidate.size >= RESUMED_FROM:
            stream.begin(self._current(candidate))
            with _disk(f"cannot read {path}"):
                stream.count(_chunks(part, 0, min(os.fstat(part).st_size, stream.size)))
        with _disk(f"cannot write {path}"):
            os.ftruncate(part, stream.offset)
            os.lseek(part, stream.offset, os.SEEK_SET)
        for chunk in stream:
            with _disk(f"cannot write {path}"):
                _write(part, chunk)
        self.streamed(candidate.key)
        return self._verified(part, candidate, stream)

    def of_file(self, file: int, candidate: Candidate, facts: Facts) -> Verified | None:
        """Whether a file that is there already holds the object's bytes; None where it does not."""
        if os.fstat(file).st_size != facts.size:
            return None
        if facts.expected is None:
            return self._compared(file, candidate, facts)
        if self._of_file(file, candidate, facts, facts.expected) != facts.expected.value:
            return None
        return Verified(facts, str(facts.expected), _how(facts.expected))

    def _current(self, candidate: Candidate) -> Facts:
        facts = self.bucket.head(candidate)
        if facts is None:
            raise KeepError(Outcome.GONE, "removed by somebody else")
        return facts

    def check(self, facts: Facts) -> str:
        """By which algorithm these bytes are to be hashed as they arrive; KeepError where they shall not be fetched."""
        if self.newest and facts.modified > self.newest:
            raise KeepError(Outcome.YOUNG, "written anew meanwhile")
        if facts.expected is None and not self.twice:
            text = "S3 has no checksum of it and its ETag is no MD5: --verify twice downloads it twice and compares"
            raise KeepError(Outcome.UNVERIFIED, text)
        return facts.expected.algorithm if facts.expected else SHA256

    def _verified(self, part: int, candidate: Candidate, stream: _Stream) -> Verified:
        facts, taken = stream.facts, checksums.encoded(stream.hasher.digest())
        assert facts is not None
        if facts.expected is None:
            return self._second(candidate, facts, taken)
        if facts.expected.parts:
            taken = self._of_file(part, candidate, facts, facts.expected)
        if taken != facts.expected.value:
            os.ftruncate(part, 0)
            text = f"damaged on its way: {facts.expected.algorithm} is {taken}, S3 says {facts.expected.value}"
            raise AgainError(Outcome.FAILED, text)
        return Verified(facts, str(facts.expected), _how(facts.expected))

    def _second(self, candidate: Candidate, facts: Facts, taken: str) -> Verified:
        """The object once more, for its checksum only."""
        stream = _Stream(self, candidate)
        stream.begin(facts)
        for _ in stream:
            pass
        again = checksums.encoded(stream.hasher.digest())
        if again != taken:
            raise AgainError(Outcome.FAILED, f"two downloads differ: SHA-256 {taken} and {again}")
        return Verified(facts, f"sha256:{taken}", "length, two downloads")

    def _compared(self, file: int, candidate: Candidate, facts: Facts) -> Verified | None:
        if not self.twice:
            self.check(facts)
        with _disk(f"cannot read what is there of {candidate.key}"):
            taken = checksums.of_chunks(SHA256, _chunks(file, 0, facts.size))
        try:
            return self._second(candidate, facts, taken)
        except AgainError:
            return None

    def _of_file(self, file: int, candidate: Candidate, facts: Facts, expected: Expected) -> str:
        bounds = _bounds(self.bucket.part_sizes(candidate, facts)) if expected.parts else []
        with _disk(f"cannot read what is there of {candidate.key}"):
            if expected.parts is None:
                return checksums.of_chunks(expected.algorithm, _chunks(file, 0, facts.size))
            return checksums.of_parts(expected.algorithm, (_chunks(file, start, end) for start, end in bounds))


class _Stream:
    """The chunks of one object, from `offset` on; a connection that breaks is made again where it broke."""

    def __init__(self, downloader: Downloader, candidate: Candidate) -> None:
        self._downloader, self._candidate = downloader, candidate
        self._deadline = downloader.clock() + PATIENCE + candidate.size / downloader.slowest
        self.facts: Facts | None = None
        self.offset = 0

    @property
    def size(self) -> int:
        assert self.facts
        return self.facts.size

    def begin(self, facts: Facts) -> None:
        self.hasher = checksums.HASHERS[self._downloader.check(facts)]()
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
                self._downloader.sleep(min(0.2 * 2**failures, 5))
            self._check_time()

    def _connected(self) -> Iterator[bytes]:
        etag = self.facts.etag if self.facts else None
        facts, body = self._downloader.bucket.get(self._candidate, start=self.offset, etag=etag)
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
                chunk = _some(body, min(left, CHUNK))
            if not chunk:
                raise RetryError(f"GetObject {self._candidate.key}: the body ended {left} bytes early")
            self._downloader.rate.take(len(chunk))
            left -= len(chunk)
            yield chunk

    def _check_time(self) -> None:
        if self._downloader.is_stopped():
            raise StoppedError
        if self._downloader.clock() > self._deadline:
            raise AgainError(Outcome.FAILED, f"slower than {self._downloader.slowest / 1000:.0f} kB/s")


def _some(body: Any, count: int) -> bytes:
    """What the connection gives in one go: a whole chunk would be waited for as long as a byte comes now and then."""
    return bytes(body.read1(count))


def _write(part: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(part, view) :]


@contextmanager
def _disk(doing: str) -> Iterator[None]:
    """Errors of the disk are told apart from those of the network by where they come from."""
    try:
        yield
    except OSError as error:
        raise fault_of(doing, error) from error


def _chunks(file: int, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        chunk = os.pread(file, min(CHUNK, end - start), start)
        if not chunk:
            return
        yield chunk
        start += len(chunk)


def _bounds(sizes: list[int]) -> list[tuple[int, int]]:
    ends = list(accumulate(sizes))
    return list(zip([0, *ends], ends, strict=False))


def _how(expected: Expected) -> str:
    if expected.parts:
        return f"length, {expected.algorithm} of {expected.parts} parts"
    return f"length, {'MD5 = ETag' if expected.algorithm == checksums.MD5 else expected.algorithm}"
