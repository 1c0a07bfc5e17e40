"""One object's bytes: into a `.part`, on where they stopped, and verified against what S3 says of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from bulk.drain import checksums
from bulk.drain.bucket import Facts
from bulk.drain.checksums import SHA256, Expected
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, KeepError, Outcome, fault_of
from bulk.drain.stream import CHUNK, Line, Stream

#: From this size on, what an earlier run has left in the `.part` is kept.
RESUMED_FROM = 8 * 1024 * 1024


@dataclass(frozen=True)
class Verified:
    """Bytes that are what S3 says: what was compared, in words for the log."""

    facts: Facts
    checksum: str
    how: str


@dataclass(frozen=True, kw_only=True)
class Downloader:
    """`twice`: objects that S3 has no checksum of are downloaded twice and compared; else they stay where they are."""

    line: Line
    twice: bool
    newest: datetime | None = None
    streamed: Callable[[str], None] = lambda key: None

    def into(self, part: int, candidate: Candidate, path: str) -> Verified:
        """Fill the open file with the object. AgainError where it changes meanwhile; the caller syncs and renames."""
        stream = Stream(self.line, candidate, self.check)
        if candidate.size >= RESUMED_FROM and os.fstat(part).st_size:
            stream.begin(self.line.bucket.require(candidate))
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
        self.check(facts)
        if facts.expected is None:
            return self._compared(file, candidate, facts)
        if self._of_file(file, candidate, facts, facts.expected) != facts.expected.value:
            return None
        return Verified(facts, str(facts.expected), _how(facts.expected))

    def check(self, facts: Facts) -> str:
        """By which algorithm these bytes are to be hashed as they arrive; KeepError where they shall not be fetched."""
        if self.newest and facts.modified > self.newest:
            raise KeepError(Outcome.YOUNG, "written anew meanwhile")
        if facts.expected is None and not self.twice:
            text = "S3 has no checksum of it and its ETag is no MD5: --verify twice downloads it twice and compares"
            raise KeepError(Outcome.UNVERIFIED, text)
        algorithm = facts.expected.algorithm if facts.expected else SHA256
        try:
            checksums.HASHERS[algorithm]()
        except ImportError as error:
            text = f"its checksum is {algorithm}, which needs {error.name}: pip install -r bulk/requirements.txt"
            raise KeepError(Outcome.UNVERIFIED, text) from error
        return algorithm

    def _verified(self, part: int, candidate: Candidate, stream: Stream) -> Verified:
        facts, taken = stream.facts, checksums.encoded(stream.hasher.digest())
        assert facts is not None
        if facts.expected is None:
            return self._second(candidate, facts, taken, part)
        if facts.expected.parts:
            taken = self._of_file(part, candidate, facts, facts.expected)
        if taken != facts.expected.value:
            os.ftruncate(part, 0)
            text = f"damaged on its way: {facts.expected.algorithm} is {taken}, S3 says {facts.expected.value}"
            raise AgainError(Outcome.FAILED, text)
        return Verified(facts, str(facts.expected), _how(facts.expected))

    def _second(self, candidate: Candidate, facts: Facts, taken: str, part: int | None = None) -> Verified:
        """The object once more, for its checksum only; where that is another one, nothing goes on from the `.part`."""
        stream = Stream(self.line, candidate, self.check)
        stream.begin(facts)
        for _ in stream:
            pass
        again = checksums.encoded(stream.hasher.digest())
        if again != taken:
            if part is not None:
                os.ftruncate(part, 0)
            raise AgainError(Outcome.FAILED, f"two downloads differ: SHA-256 {taken} and {again}")
        return Verified(facts, f"sha256:{taken}", "length, two downloads")

    def _compared(self, file: int, candidate: Candidate, facts: Facts) -> Verified | None:
        with _disk(f"cannot read what is there of {candidate.key}"):
            taken = checksums.of_chunks(SHA256, _chunks(file, 0, facts.size))
        try:
            return self._second(candidate, facts, taken)
        except AgainError:
            return None

    def _of_file(self, file: int, candidate: Candidate, facts: Facts, expected: Expected) -> str:
        bounds = _bounds(self.line.bucket.part_sizes(candidate, facts)) if expected.parts else []
        with _disk(f"cannot read what is there of {candidate.key}"):
            if expected.parts is None:
                return checksums.of_chunks(expected.algorithm, _chunks(file, 0, facts.size))
            return checksums.of_parts(expected.algorithm, (_chunks(file, start, end) for start, end in bounds))


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
