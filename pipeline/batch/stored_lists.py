"""File lists in S3: counted before jobs are submitted, and read by each job; believed only when they came undamaged."""

from __future__ import annotations

import codecs
import json
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pipeline.aws_errors import code_of, retried, status_of
from pipeline.batch.file_list import (
    MANIFEST,
    Manifest,
    batch_name,
    count_images,
    images_of,
    images_of_shard,
    require_complete,
    shard_name,
)
from pipeline.batch.json_tokens import FileListError
from pipeline.batch.settings import BatchSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 16
#: How S3 answers where another object stands under the key than the one that is meant.
_OTHER = 412
#: What reading something else as a list raises; UnicodeDecodeError and JSON's errors are ValueErrors, too.
_NO_LIST = (ValueError, RecursionError)


class StoredList:
    """One list: the key of a file, or a prefix with a slash at its end for shards.

    With `etag`, that of the file or of the manifest, another list that came into its place is not taken for it.

    Methods raise FileListError, which names the list, for what is not there or is no list, and RetryError for what may
    work later.
    """

    def __init__(self, s3: S3Client, bucket: str, location: str, etag: str | None = None) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._location = location.removesuffix(MANIFEST) if location.endswith(f"/{MANIFEST}") else location
        self._etag = etag
        self.bytes_read = 0

    @classmethod
    def of(cls, s3: S3Client, settings: BatchSettings) -> StoredList:
        return cls(s3, settings.in_bucket, settings.json_location, settings.list_etag)

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._location}"

    def etag(self) -> str:
        """Of the file, or of the manifest."""
        key = self._head
        with self._explained(key), retried(f"HeadObject s3://{self._bucket}/{key}"):
            return self._s3.head_object(Bucket=self._bucket, Key=key, **self._condition(key))["ETag"].strip('"')

    def count(self) -> int:
        """How many batches the list has, batch_1 to that one."""
        if self._is_sharded:
            return self._manifest().batches
        with self._explained(self._location), self._texts(self._location) as texts:
            return require_complete(count_images(texts))

    def images(self, number: int) -> list[str]:
        """The images of one batch."""
        if self._is_sharded:
            return self._images_of_shard(number)
        with self._explained(self._location), self._texts(self._location) as texts:
            found = images_of(texts, number)
        if found is None:
            raise FileListError(f"{self} has no {batch_name(number)}")
        return found

    def indexes(self, key: str) -> list[int]:
        """The batches that a retry is about."""
        with self._explained(key), self._texts(key) as texts:
            found = json.loads("".join(texts))
            if not isinstance(found, list) or not all(type(entry) is int and entry > 0 for entry in found):
                raise FileListError("it is no list of numbers of batches")
        return found

    @property
    def _is_sharded(self) -> bool:
        return self._location.endswith("/")

    @property
    def _head(self) -> str:
        """The key of the file, or of the manifest."""
        return self._location + MANIFEST * self._is_sharded

    def _condition(self, key: str) -> dict[str, Any]:
        return {"IfMatch": f'"{self._etag}"'} if self._etag and key == self._head else {}

    def _manifest(self) -> Manifest:
        with self._explained(self._head), self._texts(self._head) as texts:
            return Manifest.from_json("".join(texts))

    def _images_of_shard(self, number: int) -> list[str]:
        # The manifest comes last to its place: without it, the shard may be of a list that is only half there.
        batches = self._manifest().batches
        if number > batches:
            raise FileListError(f"{self} has no {batch_name(number)}: it has {batches} batches")
        key = self._location + shard_name(number)
        with self._explained(key), self._texts(key) as texts:
            return images_of_shard("".join(texts).split("\n"))

    @contextmanager
    def _texts(self, key: str) -> Iterator[Iterator[str]]:
        """An object's text, chunk by chunk. What is not asked for is read all the same: S3's checksum is known at the
        end, and a damaged name would be an image that is not there."""
        with retried(f"GetObject s3://{self._bucket}/{key}"):
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, **self._condition(key))
            with closing(answer["Body"]) as body:
                chunks = self._chunks(cast(IO[bytes], body))
                try:
                    yield codecs.iterdecode(chunks, "utf-8-sig")
                except _NO_LIST:
                    deque(chunks, maxlen=0)
                    raise
                deque(chunks, maxlen=0)

    def _chunks(self, body: IO[bytes]) -> Iterator[bytes]:
        while data := body.read(_CHUNK):
            self.bytes_read += len(data)
            yield data

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Put what is wrong with the list into words that name it."""
        place = f"s3://{self._bucket}/{key}"
        try:
            yield
        except _NO_LIST as error:
            raise FileListError(f"{place} is no file list: {error}") from error
        except Exception as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and code_of(cause) in ("NoSuchKey", "NoSuchBucket", "404"):
                raise FileListError(f"{place} does not exist") from error
            if isinstance(cause, ClientError) and status_of(cause) == _OTHER:
                raise FileListError(f"{place} is no longer the list that was submitted: submit it anew") from error
            raise


def pinned(s3: S3Client, settings: BatchSettings) -> BatchSettings:
    """The settings with the ETag that the list has now, so that all jobs take this one, however late they come."""
    return replace(settings, list_etag=StoredList.of(s3, settings).etag())
