"""Objects in S3: read what is current, put outputs in one of three ways, delete outputs that nothing names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.aws_errors import retried
from pipeline.errors import RetryError
from pipeline.job import Output
from pipeline.objects import (
    CHECKSUM,
    MARKER,
    NOT_IN_XML,
    OUTPUT_MARK,
    ObjectVersion,
    Origin,
    StoredObject,
    described,
    is_gone,
    look,
    put_if,
)
from pipeline.replacing import Replacing
from pipeline.verifying import put_verified

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_FOR_EVER = "public, max-age=31536000, immutable"
_DELETE_AT_ONCE = 1000


def read_whole(key: str, body: StreamingBody) -> bytes:
    return body.read()


class Storage:
    """The pipeline's verbs on S3. Every method raises RetryError for whatever S3 may answer better later.

    A 403 is among these and never means "gone": S3 answers it for a missing object when listing is not allowed.
    """

    def __init__(self, s3: S3Client, *, read: Callable[[str, StreamingBody], bytes] = read_whole) -> None:
        """`read`: how the body of the object `key` becomes bytes; a bulk program writes it to a file on the way."""
        self._s3 = s3
        self._read = read
        self._replacing = Replacing(s3)

    def get(self, bucket: str, key: str, *, max_bytes: int) -> StoredObject | None:
        """The current object, or None where there is none; more than `max_bytes` are not read."""
        with retried(f"GetObject s3://{bucket}/{key}"):
            try:
                answer = self._s3.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if is_gone(error, key):
                    return None
                raise
            # Not `with body`: that would give the raw stream, whose checksum nobody looks at.
            with closing(answer["Body"]) as body:
                data = self._read(key, body) if answer["ContentLength"] <= max_bytes else None
        return described(answer, data)

    def look(self, bucket: str, key: str) -> StoredObject | None:
        """The current object without its bytes, or None where there is none."""
        return look(self._s3, bucket, key)

    def head(self, bucket: str, key: str) -> ObjectVersion | None:
        """Which version is current, or None where there is none."""
        present = self.look(bucket, key)
        return present.version if present else None

    def put_output(self, bucket: str, key: str, output: Output) -> bool:
        """Create the object; one that is there already stays if it is the same, and gives way if it is an output.

        False where it was there already and stayed.
        """
        request: PutObjectRequestTypeDef = {
            "Bucket": bucket,
            "Key": key,
            "Body": output.data,
            "ContentType": output.content_type,
            "CacheControl": _FOR_EVER,
            "Metadata": {MARKER: OUTPUT_MARK, CHECKSUM: hashlib.sha256(output.data).hexdigest()},
        }
        return bool(put_if(self._s3, {**request, "IfNoneMatch": "*"})) or self._settle(request)

    def put_verified(
        self, bucket: str, key: str, output: Output, origin: Origin, is_current: Callable[[], bool]
    ) -> bool:
        """Create the object or replace an older output of the same source: `verifying.put_verified`."""
        return put_verified(self._s3, bucket, key, output, origin, is_current)

    def replace(
        self, bucket: str, key: str, output: Output, found: StoredObject, *, mark: str, keep_headers: bool
    ) -> ObjectVersion:
        """Put `output` over the object `found` if that still stands there: `replacing.Replacing.replace`."""
        return self._replacing.replace(bucket, key, output, found, mark=mark, keep_headers=keep_headers)

    def delete(self, bucket: str, keys: Collection[str]) -> None:
        """Delete objects, current version only; one that is gone already is no error."""
        waiting = sorted(key for key in keys if not NOT_IN_XML.search(key))
        for key in set(keys).difference(waiting):
            with retried(f"DeleteObject s3://{bucket}/{key}"):
                self._s3.delete_object(Bucket=bucket, Key=key)
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

    def _settle(self, request: PutObjectRequestTypeDef) -> bool:
        """After a 412: our own write may have won although its answer was lost, so look before concluding."""
        bucket, key = request["Bucket"], request["Key"]
        present = self.look(bucket, key)
        if present and present.metadata.get(CHECKSUM) == request["Metadata"][CHECKSUM]:
            return False
        if present and not present.is_output:
            raise RetryError(f"s3://{bucket}/{key} holds an object that is no output of this pipeline: move it away")
        with retried(f"PutObject s3://{bucket}/{key}"):
            self._s3.put_object(**request)
        return True
