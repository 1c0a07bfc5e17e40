"""What a bucket holds now, and what was deleted from it: every key, in order, from any place on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.aws_errors import retried
from pipeline.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        ListObjectVersionsOutputTypeDef,
        ListObjectVersionsRequestTypeDef,
        ObjectVersionTypeDef,
    )

#: Classes that S3 gives nothing out of before it was asked to restore it.
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
#: What listings shall say besides: whether an archived object was restored, and can be read for some days.
RESTORED: tuple[Literal["RestoreStatus"]] = ("RestoreStatus",)


@dataclass(frozen=True)
class ListedObject:
    """An object as the listing shows it: `size` in bytes; `is_archived`: it cannot be read as it is; `is_gone`: it was
    deleted, and a bucket that keeps versions still knows of it."""

    key: str
    version: ObjectVersion
    size: int
    is_archived: bool = False
    is_gone: bool = False


def list_current(s3: S3Client, bucket: str, prefix: str = "", *, after: str = "") -> Iterator[list[ListedObject]]:
    """Pages of at most 1,000 objects whose keys follow `after`, in order of their UTF-8 bytes: each as it is now.

    The versions are listed, since the plain listing does not name them; a bucket without versions answers the same.
    Raises RetryError.
    """
    request: ListObjectVersionsRequestTypeDef = {
        "Bucket": bucket,
        "Prefix": prefix,
        "OptionalObjectAttributes": RESTORED,
    }
    if after:
        request["KeyMarker"] = after
    is_truncated, last = True, after
    while is_truncated:
        with retried(f"ListObjectVersions s3://{bucket}/{prefix}"):
            page = s3.list_object_versions(**request)
        # The local cloud begins a page with the object that ended the one before, where a bucket has no versions.
        found = [one for one in _latest(page) if one.key != last]
        yield found
        last = found[-1].key if found else last
        is_truncated = page["IsTruncated"]
        request |= {"KeyMarker": page.get("NextKeyMarker", ""), "VersionIdMarker": page.get("NextVersionIdMarker", "")}


def is_archived(entry: Mapping[str, Any]) -> bool:
    """Whether an object cannot be read as it is, by its entry in a listing that was asked for RESTORED."""
    restored = entry.get("RestoreStatus", {})
    is_there = "RestoreExpiryDate" in restored and not restored.get("IsRestoreInProgress")
    return entry.get("StorageClass", "") in _ARCHIVES and not is_there


def _latest(page: ListObjectVersionsOutputTypeDef) -> list[ListedObject]:
    objects = [_listed(entry) for entry in page.get("Versions", []) if entry["IsLatest"]]
    for marker in page.get("DeleteMarkers", []):
        if marker["IsLatest"]:
            objects.append(ListedObject(marker["Key"], ObjectVersion("", marker["VersionId"]), 0, is_gone=True))
    return sorted(objects, key=lambda one: one.key.encode())


def _listed(entry: ObjectVersionTypeDef) -> ListedObject:
    version_id = entry["VersionId"]
    version = ObjectVersion(entry["ETag"].strip('"'), None if version_id == "null" else version_id)
    return ListedObject(entry["Key"], version, entry["Size"], is_archived(entry))
