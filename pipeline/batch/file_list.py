"""File lists: which images belong to which batch, in JSON. Pure: text in, names out, however long the list is.

    {"batch_1": ["s3://photos/a.jpg", …], "batch_2": […]}      one file; whoever wants a batch reads up to its end
    <folder>/manifest.json and <folder>/batch_1.jsonl …         shards: whoever wants a batch reads that batch only

The manifest is written last, so a list that is only half there is known by its absence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from pipeline.batch.json_tokens import FileListError, Tokens
from pipeline.job import S3Source
from pipeline.keys import MAX_KEY_BYTES

MANIFEST = "manifest.json"
#: AWS Batch takes array jobs of 2 to 10,000 children; one batch alone is a plain job.
MOST_BATCHES = 10_000

BUCKET = r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]"
_IMAGE = re.compile(rf"s3://({BUCKET})/(.+)", re.DOTALL)
_NUMBER = re.compile(r"(?:batch_)?([1-9][0-9]{0,8})")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a list in shards holds; `bytes` of the images, None where their sizes are not known."""

    batches: int
    images: int
    bytes: int | None = None

    def to_json(self) -> str:
        return json.dumps({"shards": "batch_<n>.jsonl", **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises FileListError where the text is no manifest."""
        try:
            found = json.loads(text)
            manifest = cls(batches=int(found["batches"]), images=int(found["images"]), bytes=found["bytes"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise FileListError(f"it is no manifest of a list in shards ({error})") from error
        return manifest


def source_of(image: str) -> S3Source:
    """The object that `s3://<bucket>/<key>` names; the key is not URL-encoded. ValueError says what is wrong."""
    match = _IMAGE.fullmatch(image)
    if not match:
        raise ValueError("it is not of the form s3://<bucket>/<key>")
    bucket, key = match.groups()
    if key.endswith("/"):
        raise ValueError("it names a folder, not an object")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError(f"its key has more than {MAX_KEY_BYTES} bytes")
    return S3Source(bucket, key)


def batch_name(number: int) -> str:
    return f"batch_{number}"


def batch_number(text: str) -> int:
    """3 for `batch_3` and for `3`; ValueError for anything else."""
    match = _NUMBER.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no batch: write batch_3, or 3")
    return int(match[1])


def shard_name(number: int) -> str:
    return f"{batch_name(number)}.jsonl"


def images_of(chunks: Iterable[str], number: int) -> list[str] | None:
    """The images of one batch of a list in one file, read no further than its end; None where it has no such batch."""
    name, found = batch_name(number), None
    for batch, image in _entries(chunks):
        if found is not None and batch != name:
            return found
        if batch == name:
            found = [] if found is None else found
            if image is not None:
                found.append(image)
    return found


def images_of_shard(lines: Iterable[str]) -> list[str]:
    """The images of a shard, one JSON string in a line."""
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found.append(_string(line.strip(), f"line {number}"))
    return found


def count_images(chunks: Iterable[str]) -> dict[str, int]:
    """Batch → number of its images, of a list in one file; reads all of it, and so knows that nothing is missing."""
    counts: dict[str, int] = {}
    for batch, image in _entries(chunks):
        if image is None and batch in counts:
            raise FileListError(f"it has two batches {batch!r}")
        counts[batch] = counts.get(batch, 0) + (image is not None)
    return counts


def require_complete(counts: Iterable[str]) -> int:
    """How many batches there are; FileListError where they are not batch_1, batch_2, … without a gap."""
    names = set(counts)
    wanted = [batch_name(number) for number in range(1, len(names) + 1)]
    strangers = sorted(names.difference(wanted))
    if strangers or not names:
        missing = next((name for name in wanted if name not in names), "batch_1")
        odd = f" and there is {strangers[0]!r}" if strangers else ""
        raise FileListError(f"its batches must be batch_1, batch_2, … without a gap: {missing} is missing{odd}")
    return len(names)


def _entries(chunks: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """(batch, None) where a batch begins, then (batch, image) for each of its images."""
    tokens = Tokens(chunks)
    tokens.expect("{")
    token = tokens.next()
    while token != "}":
        batch = _string(token, tokens.place)
        tokens.expect(":")
        tokens.expect("[")
        yield batch, None
        yield from ((batch, image) for image in _array(tokens))
        token = tokens.next()
        if token == ",":
            token = tokens.next()
        elif token != "}":
            raise FileListError(f"{tokens.place}: {token} is not expected there")
    tokens.expect_end()


def _array(tokens: Tokens) -> Iterator[str]:
    token = tokens.next()
    while token != "]":
        yield _string(token, tokens.place)
        token = tokens.next()
        if token == ",":
            token = tokens.next()
        elif token != "]":
            raise FileListError(f"{tokens.place}: {token} is not expected there")


def _string(token: str, place: str) -> str:
    try:
        value = json.loads(token)
    except (ValueError, RecursionError) as error:
        raise FileListError(f"{place}: {error}") from error
    if not isinstance(value, str):
        raise FileListError(f"{place}: {token[:40]} is no text")
    return value
