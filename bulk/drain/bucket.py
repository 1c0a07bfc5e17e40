"""The bucket as the drainer sees it, by botocore: nothing here knows of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from bulk.drain.checksums import Expected, expected
from bulk.drain.deletions import Deletion, Refusal, Removed, delete
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import AgainError, KeepError, Outcome
from bulk.drain.reader import Reader
from cli.aws_words import EXPIRED, FORBIDDEN, UNKNOWN, is_refused_head
from pipeline.aws_errors import code_of, retried, status_of
from pipeline.objects import is_gone

#: S3's own limit: bytes in one CopyObject.
MOST_COPIED = 5 * 1024**3
NULL_VERSION = "null"


@dataclass(frozen=True)
class Facts:
    """What S3 tells of the bytes that it sends, and what only the log can keep, since a file cannot."""

    etag: str
    version_id: str | None
    size: int
    modified: datetime
    expected: Expected | None
    content_type: str
    metadata: dict[str, str]

    @property
    def identity(self) -> str:
        """What differs whenever the bytes may; the version called null may be replaced by another of that name."""
        return self.etag if self.version_id in (None, NULL_VERSION) else str(self.version_id)


class Bucket:
    """Verbs on one bucket. RetryError for what S3 may answer better later, KeepError for what cannot be read."""

    def __init__(self, s3: Any, name: str, credentials: Any) -> None:
        self._s3 = s3
        self._reader = Reader(s3, name, credentials)
        self.name = name

    def get(self, candidate: Candidate, *, start: int = 0, etag: str | None = None) -> tuple[Facts, Any]:
        """Facts and body, from byte `start` on; with `etag`, AgainError where the object has another one by now."""
        request = {"VersionId": candidate.version_id} if candidate.version_id else {}
        if etag:
            request["IfMatch"] = f'"{etag}"'
        if start:
            request["Range"] = f"bytes={start}-"
        with self._reading("GetObject", candidate.key):
            answer = self._reader.get_object(candidate.key, **request)
        if start and not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
            raise AgainError(Outcome.FAILED, "the service did not send the range that it was asked for")
        return _facts(answer, candidate, answer["ContentLength"] + start), answer["Body"]

    def head(self, candidate: Candidate) -> Facts | None:
        """The facts of the object, or of that version, as it is now; None where it is gone, or is a delete marker."""
        request = {"VersionId": candidate.version_id} if candidate.version_id else {}
        with self._reading("HeadObject", candidate.key):
            try:
                answer = self._s3.head_object(Bucket=self.name, Key=candidate.key, ChecksumMode="ENABLED", **request)
            except ClientError as error:
                if status_of(error) in (404, 405):
                    return None
                if not is_refused_head(error):
                    raise
                return self._told(candidate)
        return _facts(answer, candidate, answer["ContentLength"])

    def has_marker(self, key: str, version_id: str) -> bool:
        """Whether the delete marker is there: S3 answers 405 where one is asked for, and 404 where nothing is."""
        with self._reading("GetObject", key):
            try:
                self._reader.get_object(key, VersionId=version_id)["Body"].close()
            except ClientError as error:
                is_there = status_of(error) == 405
                if is_there or is_gone(error, key):
                    return is_there
                raise
        return False

    def require(self, candidate: Candidate) -> Facts:
        """The facts of the object as it is now; KeepError where it is gone."""
        facts = self.head(candidate)
        if facts is None:
            raise KeepError(Outcome.GONE, "removed by somebody else")
        return facts

    def part_sizes(self, candidate: Candidate, facts: Facts) -> list[int]:
        """The sizes in bytes of the parts that the object was uploaded in."""
        request: dict[str, Any] = {"ObjectAttributes": ["ETag", "ObjectParts"], "MaxParts": 1000}
        if candidate.version_id:
            request["VersionId"] = candidate.version_id
        sizes: list[int] = []
        more = True
        while more:
            with self._reading("GetObjectAttributes", candidate.key):
                answer = self._s3.get_object_attributes(Bucket=self.name, Key=candidate.key, **request)
            if answer["ETag"].strip('"') != facts.etag:
                raise AgainError(Outcome.CHANGED, "overwritten while it was drained")
            parts = answer.get("ObjectParts", {})
            sizes += [part["Size"] for part in parts.get("Parts", [])]
            more = parts.get("IsTruncated", False)
            request["PartNumberMarker"] = parts.get("NextPartNumberMarker", 0)
        return sizes

    def delete(self, deletions: Sequence[Deletion]) -> dict[Deletion, Removed | Refusal]:
        """As `deletions.delete`."""
        return delete(self._s3, self.name, deletions)

    def copy(self, deletion: Deletion, size: int, to: str) -> None:
        """Copy the object as it was read within the bucket; AgainError where it has changed, KeepError if too large."""
        if size > MOST_COPIED:
            raise KeepError(Outcome.FAILED, "over 5 GiB: one CopyObject cannot bring it into quarantine")
        version = {"VersionId": deletion.version_id} if deletion.version_id else {}
        source: Any = {"Bucket": self.name, "Key": deletion.key, **version}
        with self._reading("CopyObject", deletion.key):
            self._s3.copy_object(Bucket=self.name, Key=to, CopySource=source, CopySourceIfMatch=f'"{deletion.etag}"')

    def _told(self, candidate: Candidate) -> Facts:
        """The facts by GET, where HEAD was refused: the answer to that has no body, and so does not say why."""
        facts, body = self.get(candidate)
        body.close()
        return facts

    @contextmanager
    def _reading(self, operation: str, key: str) -> Iterator[None]:
        """Sorts out the answers that are about this one object; the rest may pass, or end the run."""
        with retried(f"{operation} s3://{self.name}/{key}"):
            try:
                yield
            except ClientError as error:
                code, status = code_of(error), status_of(error)
                if is_gone(error, key):
                    raise KeepError(Outcome.GONE, "removed by somebody else") from error
                if status == 412:
                    raise AgainError(Outcome.CHANGED, "overwritten while it was drained") from error
                if code == "InvalidObjectState":
                    raise KeepError(
                        Outcome.ARCHIVED, "archived: restore it first (aws s3api restore-object)"
                    ) from error
                if code in FORBIDDEN or code == "403":
                    raise KeepError(Outcome.FAILED, f"these credentials may not call {operation} on it") from error
                if status == 400 and operation != "CopyObject" and code not in EXPIRED | UNKNOWN:
                    text = f"cannot be read: {error.response['Error'].get('Message') or code}"
                    raise KeepError(Outcome.ENCRYPTED, text) from error
                raise


def _facts(answer: dict[str, Any], candidate: Candidate, size: int) -> Facts:
    version_id = answer.get("VersionId")
    return Facts(
        etag=answer["ETag"].strip('"'),
        version_id=candidate.version_id or (None if version_id == NULL_VERSION else version_id),
        size=size,
        modified=answer["LastModified"],
        expected=expected(answer),
        content_type=answer.get("ContentType", ""),
        metadata=answer.get("Metadata", {}),
    )
