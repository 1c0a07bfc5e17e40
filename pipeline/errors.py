"""The three ways in which a job ends other than well, and the codes of bad images.

    PipelineError
    ├── SkipError       nothing to do             → message deleted, nothing written
    ├── RejectError     bad for ever, with a code → FAILED record, message deleted
    └── RetryError      may work later            → message comes back, then dead-letter queue

Anything else that is raised is a bug: it is logged with its trace and treated like RetryError.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Why an image was refused; the words that records, reports and logs carry."""

    INVALID_EXTENSION = "INVALID_EXTENSION"
    CORRUPT_FILE = "CORRUPT_FILE"
    TRUNCATED_IMAGE = "TRUNCATED_IMAGE"
    INVALID_CONTENT = "INVALID_CONTENT"
    FILE_DELETED = "FILE_DELETED"
    TOO_LARGE = "TOO_LARGE"
    ARCHIVED = "ARCHIVED"
    INVALID_MESSAGE = "INVALID_MESSAGE"
    FOREIGN_BUCKET = "FOREIGN_BUCKET"
    CONFLICT = "CONFLICT"
    URL_REFUSED = "URL_REFUSED"
    FETCH_FAILED = "FETCH_FAILED"
    POSTBACK_GONE = "POSTBACK_GONE"


#: What each code says to a person; the reason in a record adds the particulars.
MEANINGS: dict[Code, str] = {
    Code.INVALID_EXTENSION: "the content is not an image format that is allowed here",
    Code.CORRUPT_FILE: "the image cannot be decoded",
    Code.TRUNCATED_IMAGE: "the image ends before all of its pixels have come",
    Code.INVALID_CONTENT: "the object is empty",
    Code.FILE_DELETED: "the object was removed before it was processed",
    Code.TOO_LARGE: "the image is beyond the limits",
    Code.ARCHIVED: "the object lies in an archive, and has to be restored to be read",
    Code.INVALID_MESSAGE: "the message has no shape that is known here",
    Code.FOREIGN_BUCKET: "the message is about a bucket that is not the uploads bucket",
    Code.CONFLICT: "another object stands where this one was, or should go",
    Code.URL_REFUSED: "the URL is none, or leads to where nothing may be fetched from or sent to",
    Code.FETCH_FAILED: "the URL gives no image",
    Code.POSTBACK_GONE: "the receiver of the postback wants no more of them",
}


class PipelineError(Exception):
    """Base of everything that the pipeline raises on purpose."""


class SkipError(PipelineError):
    """There is nothing to do: a test event, work already done, an object that is gone."""

    def __init__(self, reason: str, *, code: Code | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class RejectError(PipelineError):
    """The input is bad and stays bad: `code` says how, `reason` gives the particulars."""

    def __init__(self, code: Code, reason: str = "") -> None:
        self.code = code
        self.reason = reason or MEANINGS[code]
        super().__init__(f"{code}: {self.reason}")


class RetryError(PipelineError):
    """It may work later; `after` is the delay in seconds that the other side asked for, if it did."""

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
