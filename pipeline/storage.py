"""Objects in S3: read what is current, put outputs that never change, delete outputs that nothing names."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.aws_errors import code_of, retried, status_of
from pipeline.errors import RetryError
from pipeline.job import Output

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef, PutObjectRequestTypeDef

MARKER = "image-pipeline"
OUTPUT_MARK = "output"
_CHECKSUM = "image-pipeline-sha256"
_FOR_EVER = "public, max-age=31536000, immutable"
_DELETE_AT_ONCE = 1000


@dataclass(frozen=True)
class ObjectVersion:
    """Which bytes a key held: the ETag, and the VersionId where the bucket keeps versions."""

    etag: str
    version_id: str | None


@dataclass(frozen=True)
class StoredObject:
    """An object as it was read: `size` in bytes. `data` is None where it is larger than the reader allowed."""

    version: ObjectVersion
    size: int
    is_output: bool
    data: bytes | None = field(repr=False)


class Storage:
    """The pipeline's verbs on S3. Every method raises RetryError for whatever S3 may answer better later.

    A 403 is among these and never means "gone": S3 answers it for a missing object when listing is not allowed.
    """

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def get(self, bucket: str, key: str, *, max_bytes: int) -> StoredObject | None:
        """The current object, or None where there is none; more than `max_bytes` are not read."""
        with retried(f"GetObject s3://{bucket}/{key}"):
            try:
                answer = self._s3.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if _is_gone(error):
                    return None
                raise
            with answer["Body"] as body:
                size = answer["ContentLength"]
                data = body.read() if size <= max_bytes else None
        return StoredObject(_version(answer), size, answer["Metadata"].get(MARKER) == OUTPUT_MARK, data)

    def head(self, bucket: str, key: str) -> ObjectVersion | None:
        """Which version is current, or None where there is none."""
        answer = self._head(bucket, key)
        return _version(answer) if answer else None

    def put_output(self, bucket: str, key: str, output: Output) -> bool:
        """Create the object; one that is there already stays if it is the same, and gives way if it is an output.

        False where it was there already and stayed.
        """
        checksum = hashlib.sha256(output.data).hexdigest()
        try:
            with retried(f"PutObject s3://{bucket}/{key}"):
                self._put(bucket, key, output, checksum, create_only=True)
        except RetryError as error:
            if not _is_refused(error):
                raise
            return self._settle(bucket, key, output, checksum)
        return True

    def delete(self, bucket: str, keys: Collection[str]) -> None:
        """Delete objects, current version only; one that is gone already is no error."""
        waiting = sorted(keys)
        for start in range(0, len(waiting), _DELETE_AT_ONCE):
            page = waiting[start : start + _DELETE_AT_ONCE]
            with retried(f"DeleteObjects s3://{bucket}/{page[0]} and {len(page) - 1} more"):
                answer = self._s3.delete_objects(
                    Bucket=bucket, Delete={"Objects": [{"Key": key} for key in page], "Quiet": True}
                )
            for refused in answer.get("Errors", []):
                raise RetryError(f"DeleteObjects s3://{bucket}/{refused.get('Key')}: {refused.get('Code')}")

    def list_folder(self, bucket: str, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Key and time of last change of every object directly under `prefix`, none of deeper ones."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        with retried(f"ListObjectsV2 s3://{bucket}/{prefix}"):
            for page in pages:
                for entry in page.get("Contents", []):
                    yield entry["Key"], entry["LastModified"]

    def _head(self, bucket: str, key: str) -> HeadObjectOutputTypeDef | None:
        with retried(f"HeadObject s3://{bucket}/{key}"):
            try:
                return self._s3.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if _is_gone(error):
                    return None
                raise

    def _put(self, bucket: str, key: str, output: Output, checksum: str, *, create_only: bool) -> None:
        request: PutObjectRequestTypeDef = {
            "Bucket": bucket,
            "Key": key,
            "Body": output.data,
            "ContentType": output.content_type,
            "CacheControl": _FOR_EVER,
            "Metadata": {MARKER: OUTPUT_MARK, _CHECKSUM: checksum},
        }
        if create_only:
            request["IfNoneMatch"] = "*"
        self._s3.put_object(**request)

    def _settle(self, bucket: str, key: str, output: Output, checksum: str) -> bool:
        """After a 412: our own write may have won although its answer was lost, so look before concluding."""
        present = self._head(bucket, key)
        metadata = present["Metadata"] if present else {MARKER: OUTPUT_MARK}
        if present and metadata.get(_CHECKSUM) == checksum:
            return False
        if metadata.get(MARKER) != OUTPUT_MARK:
            raise RetryError(f"s3://{bucket}/{key} holds an object that is no output of this pipeline: move it away")
        with retried(f"PutObject s3://{bucket}/{key}"):
            self._put(bucket, key, output, checksum, create_only=False)
        return True


def _version(answer: GetObjectOutputTypeDef | HeadObjectOutputTypeDef) -> ObjectVersion:
    version_id = answer.get("VersionId")
    # A bucket that has never kept versions answers nothing, one that stopped answers "null", for every object alike.
    return ObjectVersion(answer["ETag"].strip('"'), None if version_id in (None, "null") else version_id)


def _is_gone(error: ClientError) -> bool:
    return code_of(error) in ("NoSuchKey", "404")


def _is_refused(error: RetryError) -> bool:
    return isinstance(error.__cause__, ClientError) and status_of(error.__cause__) == 412
