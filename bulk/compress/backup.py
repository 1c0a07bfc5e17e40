"""The way back: an original is copied, and the copy verified, before anything takes its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bulk.csv_rows import Omitted, Row
from pipeline.aws_errors import retried
from pipeline.errors import RetryError
from pipeline.job import Output
from pipeline.objects import ObjectVersion, StoredObject
from pipeline.storage import Storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Backup:
    """Where originals are kept: `<prefix><key>` in `bucket`."""

    bucket: str
    prefix: str = ""

    def key(self, key: str) -> str:
        return f"{self.prefix}{key}"

    def without_copies(self, rows: Iterator[Row | Omitted], bucket: str) -> Iterator[Row | Omitted]:
        """`rows` of `bucket`; those that name what lies among its copies are omitted."""
        reason = f"its key begins with {self.prefix!r}, as those of copies do"
        for row in rows:
            if isinstance(row, Row) and bucket == self.bucket and row.key.startswith(self.prefix):
                yield Omitted(row.line, row.key, reason, is_fault=False)
            else:
                yield row


class BackingUpStorage(Storage):
    """`Storage` that replaces nothing of which there is no verified copy."""

    def __init__(self, s3: S3Client, backup: Backup, **options: Any) -> None:
        super().__init__(s3, **options)
        self._client = s3
        self._backup = backup

    def replace(
        self, bucket: str, key: str, output: Output, found: StoredObject, *, mark: str, keep_headers: bool
    ) -> ObjectVersion:
        assert found.data is not None
        self._keep(bucket, key, found.version.etag, hashlib.sha256(found.data).hexdigest())
        return super().replace(bucket, key, output, found, mark=mark, keep_headers=keep_headers)

    def _keep(self, bucket: str, key: str, etag: str, sha256: str) -> None:
        """A copy of the object, which has just been read and had this ETag and SHA-256. A copy of other bytes stays as
        well. RetryError also where another run came between: the object is then looked at anew."""
        plain = self._backup.key(key)
        present = self._sha256(plain)
        if present == sha256:
            return
        place = plain if present is None else f"{plain}~{sha256[:16]}"
        if present is not None and self._sha256(place) == sha256:
            return
        with retried(f"CopyObject s3://{bucket}/{key} to s3://{self._backup.bucket}/{place}"):
            source: CopySourceTypeDef = {"Bucket": bucket, "Key": key}
            self._client.copy_object(
                Bucket=self._backup.bucket,
                Key=place,
                CopySource=source,
                # By now the compressed image may stand there, and its original at `place`.
                CopySourceIfMatch=f'"{etag}"',
                IfNoneMatch="*",
            )
        if self._sha256(place) != sha256:
            raise RetryError(f"the copy s3://{self._backup.bucket}/{place} differs from what was read")

    def _sha256(self, key: str) -> str | None:
        """Of the bytes as they come back: an ETag says too little of an object that came in parts or is encrypted."""
        if self.look(self._backup.bucket, key) is None:
            return None
        digest = hashlib.sha256()
        with retried(f"GetObject s3://{self._backup.bucket}/{key}"):
            with closing(self._client.get_object(Bucket=self._backup.bucket, Key=key)["Body"]) as body:
                for chunk in body.iter_chunks(_AT_ONCE):
                    digest.update(chunk)
        return digest.hexdigest()
