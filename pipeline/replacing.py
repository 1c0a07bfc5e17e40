"""An original replaced in its place: only if it is still the one that was read, and with all that belongs to it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from pipeline.aws_errors import retried, status_of
from pipeline.errors import Code, RetryError, SkipError
from pipeline.job import Output
from pipeline.objects import CHECKSUM, COMPRESSED, ObjectVersion, StoredObject, look, put_if

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_MAX_METADATA = 2048
_RETENTION = ("ObjectLockMode", "ObjectLockRetainUntilDate")
_GRANTS = {
    "FULL_CONTROL": "GrantFullControl",
    "READ": "GrantRead",
    "READ_ACP": "GrantReadACP",
    "WRITE_ACP": "GrantWriteACP",
}


class Replacing:
    """The one verb that overwrites an original, and what it has learnt of the buckets."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3
        self._has_acls: dict[str, bool] = {}

    def replace(
        self, bucket: str, key: str, output: Output, found: StoredObject, *, mark: str, keep_headers: bool
    ) -> ObjectVersion:
        """Put `output` over `found`, which was read from there, and mark it as compressed by `mark`.

        `keep_headers`: content type, caching, storage class, encryption, lock, the user's metadata, tags and ACL stay
        as they are. Raises SkipError where another object stands there now, or none; RetryError.
        """
        ours = {COMPRESSED: mark, CHECKSUM: hashlib.sha256(output.data).hexdigest()}
        request: PutObjectRequestTypeDef = {
            "Bucket": bucket,
            "Key": key,
            "Body": output.data,
            "IfMatch": found.version.etag,
            "ContentType": output.content_type,
            "Metadata": ours,
        }
        try:
            kept = self._kept(bucket, key, found, ours) if keep_headers else {}
        except RetryError as error:
            if isinstance(error.__cause__, ClientError) and status_of(error.__cause__) == 404:
                return self._settle(bucket, key, ours)
            raise
        placed = put_if(self._s3, {**request, **kept})  # type: ignore[typeddict-item]
        return placed or self._settle(bucket, key, ours)

    def _settle(self, bucket: str, key: str, ours: dict[str, str]) -> ObjectVersion:
        """After a refusal: our own write may have won although its answer was lost, so look before concluding."""
        present = look(self._s3, bucket, key)
        if present is None:
            raise SkipError(f"s3://{bucket}/{key} was removed while it was worked on", code=Code.FILE_DELETED)
        if ours.items() <= present.metadata.items():
            return present.version
        raise SkipError(f"s3://{bucket}/{key} was overwritten while it was worked on", code=Code.CONFLICT)

    def _kept(self, bucket: str, key: str, found: StoredObject, ours: dict[str, str]) -> dict[str, Any]:
        metadata = {**found.metadata, **ours}
        odd = [name for name, value in found.headers.items() if isinstance(value, str) and not value.isascii()]
        if odd:
            raise SkipError(f"its {odd[0]} has letters that would not come through as they are")
        if found.unreadable:
            raise SkipError(f"{found.unreadable} of its metadata cannot be read, and would be lost")
        if sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items()) > _MAX_METADATA:
            raise SkipError("its metadata leave no room for the mark that it was compressed")
        kept = {**_still_valid(found.headers), "Metadata": metadata, **self._grants(bucket, key, found)}
        # TagCount is no help: S3 leaves it out where tags may not be read, as it does where there are none.
        with retried(f"GetObjectTagging s3://{bucket}/{key}"):
            tags = self._s3.get_object_tagging(Bucket=bucket, Key=key, **_version(found))["TagSet"]
        return {**kept, "Tagging": urlencode([(tag["Key"], tag["Value"]) for tag in tags])} if tags else kept

    def _grants(self, bucket: str, key: str, found: StoredObject) -> dict[str, str]:
        """The object's ACL as PutObject takes it; nothing where it is the one that every object has."""
        if not self._keeps_acls(bucket):
            return {}
        with retried(f"GetObjectAcl s3://{bucket}/{key}"):
            acl = self._s3.get_object_acl(Bucket=bucket, Key=key, **_version(found))
        granted = defaultdict(list)
        for grant in acl["Grants"]:
            granted[_GRANTS[grant["Permission"]]].append(_grantee(grant["Grantee"]))
        owner_only = {"GrantFullControl": [f'id="{acl["Owner"].get("ID")}"']}
        return {} if granted == owner_only else {name: ", ".join(who) for name, who in granted.items()}

    def _keeps_acls(self, bucket: str) -> bool:
        if bucket not in self._has_acls:
            self._has_acls[bucket] = self._asked_about_acls(bucket)
        return self._has_acls[bucket]

    def _asked_about_acls(self, bucket: str) -> bool:
        with retried(f"GetBucketOwnershipControls {bucket}"):
            try:
                controls = self._s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
            except ClientError as error:
                if status_of(error) >= 500:
                    raise
                # Not said, or not to be known: then the objects have to be asked.
                return True
        return all(rule["ObjectOwnership"] != "BucketOwnerEnforced" for rule in controls["Rules"])


def _still_valid(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Without a retention whose time is over: S3 goes on naming it, and refuses to be told of it again."""
    until = headers.get("ObjectLockRetainUntilDate")
    if until is None or until > datetime.now(UTC):
        return dict(headers)
    return {name: value for name, value in headers.items() if name not in _RETENTION}


def _version(found: StoredObject) -> Any:
    return {"VersionId": found.version.version_id} if found.version.version_id else {}


def _grantee(grantee: Any) -> str:
    if "URI" in grantee:
        return f'uri="{grantee["URI"]}"'
    return f'id="{grantee["ID"]}"' if "ID" in grantee else f'emailAddress="{grantee["EmailAddress"]}"'
