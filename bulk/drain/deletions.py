"""Removal of many objects in one request, each only if it is still the one that was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from pipeline.aws_errors import code_of, retried, status_of
from pipeline.objects import NOT_IN_XML

#: S3's own limit.
MOST_DELETED_AT_ONCE = 1000


@dataclass(frozen=True)
class Refusal:
    """Why S3 did not remove an object: its code and words."""

    code: str
    message: str


@dataclass(frozen=True)
class Removed:
    """It is removed; `marker` is the VersionId of the delete marker that hides it, where the bucket keeps versions."""

    marker: str | None


@dataclass(frozen=True)
class Deletion:
    """What to remove: by version, or else the current object if it still has this ETag."""

    key: str
    etag: str
    version_id: str | None = None

    @property
    def is_marker(self) -> bool:
        """Only delete markers have no ETag."""
        return not self.etag


def delete(s3: Any, bucket: str, deletions: Sequence[Deletion]) -> dict[Deletion, Removed | Refusal]:
    """Remove them, at most MOST_DELETED_AT_ONCE; RetryError where it cannot be said what became of them.

    Those of which the answer says nothing are not in what is returned.
    """
    together = [one for one in deletions if not NOT_IN_XML.search(one.key)]
    alone = {one: _delete_alone(s3, bucket, one) for one in deletions if NOT_IN_XML.search(one.key)}
    return alone | (_delete_together(s3, bucket, together) if together else {})


def _delete_together(s3: Any, bucket: str, deletions: Sequence[Deletion]) -> dict[Deletion, Removed | Refusal]:
    wanted = {(one.key, one.version_id): one for one in deletions}
    with retried(f"DeleteObjects s3://{bucket}/{deletions[0].key} and {len(deletions) - 1} more"):
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [_identifier(one) for one in deletions]})
    said: list[tuple[dict[str, str], Removed | Refusal]] = [
        *((entry, Removed(entry.get("DeleteMarkerVersionId"))) for entry in answer.get("Deleted", [])),
        *((error, Refusal(error.get("Code", ""), error.get("Message", ""))) for error in answer.get("Errors", [])),
    ]
    named = ((wanted.get((about["Key"], about.get("VersionId"))), outcome) for about, outcome in said)
    return {one: outcome for one, outcome in named if one}


def _delete_alone(s3: Any, bucket: str, deletion: Deletion) -> Removed | Refusal:
    request = {"VersionId": deletion.version_id} if deletion.version_id else {"IfMatch": f'"{deletion.etag}"'}
    with retried(f"DeleteObject s3://{bucket}/{deletion.key}"):
        try:
            answer = s3.delete_object(Bucket=bucket, Key=deletion.key, **request)
        except ClientError as error:
            if status_of(error) >= 500:
                raise
            return Refusal(code_of(error), str(error.response["Error"].get("Message", "")))
    return Removed(answer.get("VersionId") if answer.get("DeleteMarker") else None)


def _identifier(deletion: Deletion) -> dict[str, str]:
    if deletion.version_id:
        return {"Key": deletion.key, "VersionId": deletion.version_id}
    return {"Key": deletion.key, "ETag": f'"{deletion.etag}"'}
