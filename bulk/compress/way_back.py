"""Before a run: that the bucket is there, and that what is replaced can be had again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from bulk.compress.backup import Backup
from cli.exits import CommandError
from pipeline.aws_errors import status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class WayBack:
    """How an original can be had again, in words; `backup` where copies are made."""

    words: str
    backup: Backup | None = None


def way_back(s3: S3Client, bucket: str, backup: Backup | None, *, none_wanted: bool) -> WayBack:
    """The way back that there is, or that was asked for; CommandError where there is none and nobody said so."""
    _require_bucket(s3, bucket)
    if backup:
        if backup.bucket == bucket and not backup.prefix:
            raise CommandError("--backup_bucket is the bucket itself: name another one, or add --backup_prefix")
        _require_bucket(s3, backup.bucket)
        return WayBack(f"each original is first copied to s3://{backup.bucket}/{backup.prefix}", backup)
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
        return WayBack(f"{bucket} keeps versions")
    if none_wanted:
        return WayBack("none: the originals are replaced for good, as --no_backup says")
    raise CommandError(
        f"there is no way back: {bucket} keeps no versions, so a replaced original would be gone. Turn versioning on, "
        "or add --backup_prefix originals/ or --backup_bucket NAME, or --no_backup if you have copies elsewhere"
    )


def _require_bucket(s3: S3Client, bucket: str) -> None:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if status_of(error) != 404:
            raise
        raise CommandError(f"the bucket {bucket} does not exist, or not in this account and region") from error
