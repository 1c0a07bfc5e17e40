"""The images of a bucket, from S3's own listing, with their sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bulk.list_lines import BadLine, Image
from pipeline.batch.file_list import source_of
from pipeline.inventory import RESTORED, is_archived

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: How names of images end. What an object is shows only when it is read; a listing has nothing but names.
ENDINGS = frozenset("jpg jpeg jpe jfif mpo png apng gif webp avif heic heif tif tiff bmp".split())


class Listing:
    """The images below `prefix`; `left_out` says of all else how often it came, once it has been gone through."""

    def __init__(self, s3: S3Client, bucket: str, prefix: str, *, every: bool = False) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix
        self._every = every
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Image | BadLine]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, OptionalObjectAttributes=RESTORED
        )
        entries = (entry for page in pages for entry in page.get("Contents", []))
        for number, entry in enumerate(entries, 1):
            reason = self._reason_against(entry)
            if reason:
                self.left_out[reason] += 1
                continue
            name = f"s3://{self._bucket}/{entry['Key']}"
            try:
                source_of(name)
            except ValueError as error:
                yield BadLine(number, name, str(error))
                continue
            yield Image(number, name, entry["Size"])

    def _reason_against(self, entry: Mapping[str, Any]) -> str | None:
        key = entry["Key"]
        if key.endswith("/"):
            return "folders"
        if is_archived(entry):
            return "archived (restore them first)"
        name, dot, ending = key.rpartition("/")[2].rpartition(".")
        if not self._every and (not dot or ending.lower() not in ENDINGS):
            return "not named as images (--every takes them, too)"
        return None
