"""What an object in S3 is to the pipeline, and what the pipeline writes into an object's metadata."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from pipeline.aws_errors import code_of, retried, status_of
from pipeline.errors import RetryError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef, PutObjectRequestTypeDef

#: In keys: what XML cannot carry, or reads as something else (a carriage return). DeleteObjects cannot name such keys,
#: DeleteObject can: there the key is in the address.
NOT_IN_XML = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
MARKER = "image-pipeline"
OUTPUT_MARK = "output"
#: On an original that was compressed in its place: by which options. Unlike the marker above it is no output.
COMPRESSED = "image-pipeline-compressed"
CHECKSUM = "image-pipeline-sha256"
SOURCE = "image-pipeline-source"
_ETAG, _VERSION_ID, _OPTIONS = "image-pipeline-etag", "image-pipeline-version-id", "image-pipeline-options"

#: What belongs to an object besides its bytes and metadata, by the names that GetObject and PutObject share.
_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
    "StorageClass",
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "BucketKeyEnabled",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
)
#: S3 takes 2 KB of metadata, of which a source with a long name shall not use all.
_MAX_SOURCE = 512


@dataclass(frozen=True)
class ObjectVersion:
    """Which bytes a key held: the ETag, and the VersionId where the bucket keeps versions."""

    etag: str
    version_id: str | None


@dataclass(frozen=True)
class StoredObject:
    """An object as it was read: `size` in bytes. `data` is None where it was not read, or is larger than allowed.

    `metadata` is the user's and ours; `unreadable`: how many entries of it S3 could not show. `headers`: what else has
    to be said again when the object is put anew. `is_archived`: S3 reads nothing of it before it is restored.
    """

    version: ObjectVersion
    size: int
    is_output: bool
    data: bytes | None = field(repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    unreadable: int = 0
    headers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    is_archived: bool = False


@dataclass(frozen=True)
class Origin:
    """Which version of which source an output was made of, and how: kept with the output, so that a look is enough."""

    source: str
    version: ObjectVersion
    options_hash: str

    @classmethod
    def of(cls, bucket: str, key: str, version: ObjectVersion, options_hash: str) -> Origin:
        address = f"s3://{bucket}/{quote(key)}"
        if len(address) > _MAX_SOURCE:
            address = f"sha256:{hashlib.sha256(address.encode()).hexdigest()}"
        return cls(address, version, options_hash)

    @property
    def metadata(self) -> dict[str, str]:
        said = {SOURCE: self.source, _ETAG: self.version.etag, _OPTIONS: self.options_hash}
        return said | ({_VERSION_ID: self.version.version_id} if self.version.version_id else {})

    def is_of(self, output: StoredObject) -> bool:
        """Whether `output` was made of just this version, in just this way."""
        names = (SOURCE, _ETAG, _VERSION_ID, _OPTIONS)
        return {name: output.metadata[name] for name in names if name in output.metadata} == self.metadata


def described(answer: GetObjectOutputTypeDef | HeadObjectOutputTypeDef, data: bytes | None = None) -> StoredObject:
    """What S3 answered about an object, as a value."""
    metadata = answer["Metadata"]
    return StoredObject(
        version=version_in(answer),
        size=answer["ContentLength"],
        is_output=metadata.get(MARKER) == OUTPUT_MARK,
        data=data,
        metadata=metadata,
        # An Expires that is no date cannot be said again.
        unreadable=answer.get("MissingMeta", 0) + ("ExpiresString" in answer and "Expires" not in answer),
        headers={name: value for name in _HEADERS if (value := answer.get(name)) is not None},
    )


def version_in(answer: GetObjectOutputTypeDef | HeadObjectOutputTypeDef) -> ObjectVersion:
    version_id = answer.get("VersionId")
    # A bucket that has never kept versions answers nothing, one that stopped answers "null", for every object alike.
    return ObjectVersion(answer["ETag"].strip('"'), None if version_id in (None, "null") else version_id)


def look(s3: S3Client, bucket: str, key: str) -> StoredObject | None:
    """What is current, its bytes left where they are, or None where there is none. Raises RetryError."""
    with retried(f"HeadObject s3://{bucket}/{key}"):
        try:
            return described(s3.head_object(Bucket=bucket, Key=key))
        except ClientError as error:
            if is_gone(error, key):
                return None
            raise _in_words(s3, bucket, key, error) from error


def _in_words(s3: S3Client, bucket: str, key: str, error: ClientError) -> ClientError:
    """The answer to a HEAD has no body, so that S3 says 400 or 403 and not why: credentials that are over, or a right
    that is missing. Asked for the first byte, it says so."""
    if status_of(error) in (400, 403):
        try:
            s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()
        except ClientError as told:
            return told
    return error


def read_small(s3: S3Client, bucket: str, key: str) -> tuple[bytes, str] | None:
    """(bytes, ETag) of an object of ours that fits into memory, or None where there is none. Raises RetryError."""
    with retried(f"GetObject s3://{bucket}/{key}"):
        try:
            answer = s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if is_gone(error, key):
                return None
            raise
        with closing(answer["Body"]) as body:
            return body.read(), answer["ETag"].strip('"')


def put_if(s3: S3Client, request: PutObjectRequestTypeDef) -> ObjectVersion | None:
    """Put under the condition that `request` holds; None where it was refused. Raises RetryError.

    Refused is not the same as not done: boto sends a request again whose answer was lost, and the second one meets what
    the first one wrote. So the caller has to look before it concludes.
    """
    try:
        with retried(f"PutObject s3://{request['Bucket']}/{request['Key']}"):
            answer = s3.put_object(**request)
    except RetryError as error:
        # 404: what was to be replaced is gone.
        if isinstance(error.__cause__, ClientError) and status_of(error.__cause__) in (404, 412):
            if code_of(error.__cause__) != "NoSuchBucket":
                return None
        raise
    return ObjectVersion(answer["ETag"].strip('"'), answer.get("VersionId"))


def is_gone(error: ClientError, key: str) -> bool:
    """Whether S3 itself says that there is no such object: a 404 in other words may be of somebody on the way.

    Only the status is left of an answer to a HEAD, and of one that cannot be read since it repeats a key of no XML.
    """
    if code_of(error) == "404":
        return error.operation_name == "HeadObject" or NOT_IN_XML.search(key) is not None
    return code_of(error) in ("NoSuchKey", "NoSuchVersion")


def is_contested(error: RetryError) -> bool:
    """Whether another conditional write was under way for the same key, so that S3 decided nothing about this one."""
    return isinstance(error.__cause__, ClientError) and status_of(error.__cause__) == 409


def is_archived(error: RetryError) -> bool:
    """Whether S3 has the object and reads nothing of it: an archive gives out only what was restored."""
    return isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == "InvalidObjectState"
