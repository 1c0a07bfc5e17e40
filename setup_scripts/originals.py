"""Which uploads a teardown would lose: those that `img/` cannot bring back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from setup_scripts.folder import path_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Originals:
    """How many objects there are that exist nowhere else as far as we know, and their bytes."""

    count: int
    bytes: int


def originals(s3: S3Client, bucket: str, samples: Path) -> Originals:
    """The current objects of `bucket` that are not, byte for byte, the file of the same name in `samples`."""
    sizes = [size for key, size, etag in _objects(s3, bucket) if not _is_sample(samples, key, size, etag)]
    return Originals(len(sizes), sum(sizes))


def _objects(s3: S3Client, bucket: str) -> Iterator[tuple[str, int, str]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            yield entry["Key"], entry["Size"], entry["ETag"].strip('"')


def _is_sample(samples: Path, key: str, size: int, etag: str) -> bool:
    try:
        path = path_of(key, samples)
        if not path.is_file() or path.stat().st_size != size:
            return False
        return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == etag
    except (OSError, ValueError):
        # A key may be anything, also what no file system takes as a name.
        return False
