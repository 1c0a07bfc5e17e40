"""A file list on its way to S3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from cli import console
from cli.aws import CONNECTIONS
from cli.exits import CommandError
from pipeline.batch.file_list import MANIFEST

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def upload_list(s3: S3Client, path: Path, bucket: str, key: str) -> None:
    """Put the file at `path` to `key`; of a folder of shards each one below `key`, the manifest last."""
    if path.is_file():
        s3.upload_file(str(path), bucket, key)
        return
    # Replaced shard by shard, a list would be a mixture for a while, with a manifest that says it is whole.
    if s3.list_objects_v2(Bucket=bucket, Prefix=f"{key}{MANIFEST}", MaxKeys=1).get("KeyCount"):
        raise CommandError(f"s3://{bucket}/{key} holds a list already: name another place")
    shards = [shard for shard in path.iterdir() if shard.name != MANIFEST]
    with console.progress() as progress, ThreadPoolExecutor(CONNECTIONS) as pool:
        task = progress.add_task("Uploading", total=len(shards))
        for _ in pool.map(lambda shard: s3.upload_file(str(shard), bucket, f"{key}{shard.name}"), shards):
            progress.advance(task)
    s3.upload_file(str(path / MANIFEST), bucket, f"{key}{MANIFEST}")
