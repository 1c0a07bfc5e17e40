"""Emptying a bucket for good: all versions, delete markers and unfinished uploads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cli.exits import CommandError, Exit
from pipeline.objects import NOT_IN_XML

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def empty_bucket(s3: S3Client, bucket: str) -> None:
    """Delete everything in `bucket`; CommandError where S3 refuses a single object."""
    for page in _pages_of_versions(s3, bucket):
        alone = [version for version in page if NOT_IN_XML.search(version["Key"])]
        for version in alone:
            s3.delete_object(Bucket=bucket, **version)
        if len(alone) < len(page):
            _delete_together(s3, bucket, [version for version in page if not NOT_IN_XML.search(version["Key"])])
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def _delete_together(s3: S3Client, bucket: str, versions: list[Any]) -> None:
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
    for refused in answer.get("Errors", []):
        text = f"s3://{bucket}/{refused.get('Key')} cannot be deleted: {refused.get('Code')}"
        raise CommandError(f"{text}. Remove what protects it and run the same command again", Exit.REFUSED)


def _pages_of_versions(s3: S3Client, bucket: str) -> Iterator[list[Any]]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if entries:
            yield [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
