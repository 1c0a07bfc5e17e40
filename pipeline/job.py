"""What travels through the pipeline: frozen values, made once at an edge and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.errors import Code
from pipeline.images.options import ImageOptions, Limits, OutputOptions


class Outcome(StrEnum):
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True)
class S3Source:
    """An object in S3. `key` is the plain key, never URL-encoded."""

    bucket: str
    key: str


class Write(StrEnum):
    """How an output is put; no way ever overwrites what is not ours.

    CREATE: under a key that is never used again. VERIFY: under a fixed key, with a note of what it was made of, so that
    nothing is done twice and an older output gives way. REPLACE_IF_MATCH: over the source, if that is still as read.
    """

    CREATE = "create"
    VERIFY = "verify"
    REPLACE_IF_MATCH = "replace_if_match"


@dataclass(frozen=True)
class OutputWanted:
    """One output and the place where it goes.

    Without `key` that is `<folder>/<source key>/<version>.<ext>` in `bucket`; `extended` appends the extension of the
    output's format to `key`, and `extension` is the one that it had before, where the caller knows. A source that is
    replaced is its own place. There `keep_headers` keeps all that belongs to the object, and `mark` says by which
    options it was compressed: an object so marked is done. `shares_folder`: other outputs of the source lie there, too,
    so that the version in the key is one of `name` as well.
    """

    name: str
    options: OutputOptions
    bucket: str = ""
    folder: str = ""
    _: KW_ONLY
    key: str | None = None
    extended: bool = False
    extension: str = ""
    write: Write = Write.CREATE
    keep_headers: bool = False
    mark: str = ""
    shares_folder: bool = False


@dataclass(frozen=True, kw_only=True)
class Job:
    """One unit of work, decoded from a message or made by a bulk program: bring everything about `source` up to date.

    There is no verb: what has to be done is decided from the object as it is when the job runs, never from what an
    event said of it earlier (docs/decisions/events-are-hints.md).
    `record`: whether the metadata table is kept up to date. `force`: do it again although it is done.
    `deliveries`: how often the message has come, this time included. `limits`: what is refused from the header.
    """

    source: S3Source
    outputs: tuple[OutputWanted, ...] = ()
    limits: Limits = field(default_factory=Limits)
    record: bool = True
    force: bool = False
    deliveries: int = 1

    @property
    def image_options(self) -> ImageOptions:
        outputs = tuple((wanted.name, wanted.options) for wanted in self.outputs)
        return ImageOptions(outputs=outputs, limits=self.limits)


@dataclass(frozen=True)
class Output:
    """One image that was made: its bytes, MIME type, Pillow format name and (width, height) in pixels."""

    name: str
    data: bytes = field(repr=False)
    content_type: str
    format: str
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a source image. `size` is as shown, so after orientation; `taken_at` is ISO 8601.

    `placeholder` is the base64 text of its ThumbHash.
    """

    format: str
    content_type: str
    mode: str
    size: tuple[int, int]
    frames: int = 1
    bytes: int
    sha256: str
    taken_at: str | None = None
    camera_model: str | None = None
    placeholder: str | None = None


@dataclass(frozen=True)
class PlacedOutput:
    """An output that has been put: where it lies and what it weighs."""

    name: str
    key: str
    url: str
    content_type: str
    bytes: int
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the table keeps about one object version. A FAILED one has a code and no outputs.

    Sizes in bytes and pixels, as shown; times in ISO 8601; `placeholder` is the base64 text of a ThumbHash.
    `seen`: what tells this record from another, as the table held it when it was read; None for one that was not read.
    """

    image_id: str
    outcome: Outcome
    etag: str
    version_id: str | None
    options_hash: str
    processed_at: str
    original_url: str
    original_bytes: int
    pipeline_version: str
    outputs: tuple[PlacedOutput, ...] = ()
    error_code: Code | None = None
    error_message: str | None = None
    pixel_width: int | None = None
    pixel_height: int | None = None
    image_format: str | None = None
    content_type: str | None = None
    sha256: str | None = None
    taken_at: str | None = None
    camera_model: str | None = None
    placeholder: str | None = None
    seen: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    def output(self, name: str) -> PlacedOutput | None:
        return next((output for output in self.outputs if output.name == name), None)

    @property
    def output_keys(self) -> frozenset[str]:
        return frozenset(output.key for output in self.outputs)


@dataclass(frozen=True)
class Result:
    """How a job ended: the record that now stands, or None where the object and its record are gone.

    `left_out` names optional outputs for which there was no time or memory.
    """

    job: Job
    record: Record | None
    left_out: tuple[str, ...] = ()
