"""Outputs under fixed keys: made once for each version of their source, and never over what is somebody else's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.errors import Code, RejectError, RetryError
from pipeline.job import Output
from pipeline.objects import CHECKSUM, MARKER, OUTPUT_MARK, SOURCE, Origin, StoredObject, look, put_if

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef


def put_verified(
    s3: S3Client, bucket: str, key: str, output: Output, origin: Origin, is_current: Callable[[], bool]
) -> bool:
    """Create the object, or replace what was made of an older version of the same source. False: it was there already.

    `is_current` tells whether `origin` is still the current version of the source: asked after the present output was
    looked at, and again after it was replaced, since what it was made of may have become current again meanwhile.

    Raises RejectError(CONFLICT) where something else stands there, RetryError where a later try may do better.
    """
    ours = {MARKER: OUTPUT_MARK, CHECKSUM: hashlib.sha256(output.data).hexdigest(), **origin.metadata}
    request: PutObjectRequestTypeDef = {
        "Bucket": bucket,
        "Key": key,
        "Body": output.data,
        "ContentType": output.content_type,
        "Metadata": ours,
    }
    if put_if(s3, {**request, "IfNoneMatch": "*"}):
        return True
    present = look(s3, bucket, key)
    if present and present.metadata == ours:
        return False
    _give_way(present, f"s3://{bucket}/{key}", origin, is_current)
    if not (present and put_if(s3, {**request, "IfMatch": present.version.etag})):
        after = look(s3, bucket, key)
        if after is None or after.metadata != ours:
            raise RetryError(f"s3://{bucket}/{key} changed while it was being replaced")
    _require_current(origin, is_current)
    return True


def _give_way(present: StoredObject | None, place: str, origin: Origin, is_current: Callable[[], bool]) -> None:
    """Raise unless `present` may be replaced by what was made of `origin`."""
    if present is None:
        raise RetryError(f"{place} was there and is gone again")
    if not present.is_output or present.metadata.get(SOURCE) != origin.source:
        raise RejectError(Code.CONFLICT, f"{place} is already there and was not made of {origin.source}")
    _require_current(origin, is_current)


def _require_current(origin: Origin, is_current: Callable[[], bool]) -> None:
    if not is_current():
        raise RetryError(f"{origin.source} changed while it was worked on")
