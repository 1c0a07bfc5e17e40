"""LIST and OUT on a command line, as the two commands take them that run a file list."""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cli.connection import Connection
from cli.exits import CommandError
from pipeline.aws_errors import status_of
from pipeline.batch.file_list import BUCKET
from pipeline.batch.json_tokens import FileListError
from pipeline.batch.settings import BatchSettings, Layout
from pipeline.batch.stored_lists import StoredList, pinned

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SCHEME = "s3://"
#: In the outputs bucket of a deployment: what lies there is private, and nothing there starts the pipeline.
FOLDER = "batch"


def add_list_arguments(parser: argparse.ArgumentParser, *, needed: bool = True) -> None:
    parser.add_argument(
        "list",
        metavar="LIST",
        nargs=None if needed else "?",
        help="s3://<bucket>/<key>, with a slash at the end for a list in shards; or a file here, which is uploaded",
    )
    parser.add_argument(
        "out",
        metavar="OUT",
        nargs="?",
        help="s3://<bucket>/<prefix> for the outputs (default: batch/compressed in the deployment's outputs bucket)",
    )
    parser.add_argument(
        "--divide-camera-wise", action="store_true", help="put images ending in _left, _right, _front into folders"
    )
    parser.add_argument(
        "--layout",
        choices=[layout.value for layout in Layout],
        default=Layout.FULL.value,
        help="full: <prefix>/<bucket>/<key>.<ext>; basename: <prefix>/<name>.<ext>, where a second one of a name fails",
    )


def settings_of(arguments: argparse.Namespace, connection: Connection) -> BatchSettings:
    """What the jobs are told. A list on this machine is uploaded first, under a name that its content gives.

    SettingsError where a job would refuse it, CommandError where LIST or OUT is in no bucket.
    """
    out_bucket, out_key = _out(arguments.out, connection)
    in_bucket, location = _in(arguments.list, connection)
    told = BatchSettings(
        region=connection.target.region,
        in_bucket=in_bucket,
        json_location=location,
        out_bucket=out_bucket,
        out_key=out_key.strip("/"),
        divide_camera_wise=arguments.divide_camera_wise,
        layout=Layout(arguments.layout),
    )
    settings = BatchSettings.from_environment(told.to_environment())
    _require_out(connection.aws.s3, settings.out_bucket)
    return settings


def require_list(s3: S3Client, settings: BatchSettings) -> BatchSettings:
    """The settings, for the list as it is now; CommandError where it is not there, or not the one that they name."""
    try:
        return pinned(s3, settings)
    except FileListError as error:
        raise CommandError(str(error)) from error


def count_batches(s3: S3Client, settings: BatchSettings) -> int:
    """How many batches the list has; CommandError where it is not there, or no list."""
    try:
        return StoredList.of(s3, settings).count()
    except FileListError as error:
        raise CommandError(str(error)) from error


def _in(text: str, connection: Connection) -> tuple[str, str]:
    if text.startswith(_SCHEME):
        bucket, key = _parted("LIST", text)
        if not key:
            raise CommandError(f"LIST {text} names no object: give s3://<bucket>/<key>")
        return bucket, key
    path = Path(text)
    if not path.is_file():
        raise CommandError(f"LIST {text} is neither s3://<bucket>/<key> nor a file here")
    data = path.read_bytes()
    bucket = _own_bucket(connection)
    key = f"{FOLDER}/lists/{hashlib.sha256(data).hexdigest()[:12]}-{path.name}"
    connection.aws.s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType="application/json")
    return bucket, key


def _out(text: str | None, connection: Connection) -> tuple[str, str]:
    if text is None:
        return _own_bucket(connection), f"{FOLDER}/compressed"
    if not text.startswith(_SCHEME):
        raise CommandError(f"OUT {text} is not of the form s3://<bucket>/<prefix>")
    return _parted("OUT", text)


def _require_out(s3: S3Client, bucket: str) -> None:
    """CommandError where the bucket does not exist: every image would fail. Who may not look there is believed."""
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if status_of(error) == 404:
            raise CommandError(f"OUT s3://{bucket}: there is no such bucket. Make it, or name another") from error


def _parted(argument: str, text: str) -> tuple[str, str]:
    bucket, _, key = text.removeprefix(_SCHEME).partition("/")
    if not re.fullmatch(BUCKET, bucket):
        raise CommandError(f"{argument} {text}: {bucket!r} is not the name of a bucket. Give s3://<bucket>/…")
    return bucket, key


def _own_bucket(connection: Connection) -> str:
    return connection.resources.require("thumbnails-bucket", "setup.py")
