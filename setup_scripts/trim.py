"""What of the installed wheels the functions never read: it stays out of the zip."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

#: The services that the functions call. botocore describes some four hundred.
SERVICES = ("batch", "dynamodb", "s3", "sqs")
#: The image service keeps no records, and its secrets may lie in Systems Manager.
IMAGE_SERVICE_SERVICES = ("s3", "sqs", "ssm")

_UNUSED = (
    "bin",
    "Scripts",
    "boto3/data",
    "boto3/examples",
    "**/__pycache__",
    "**/tests",
    "**/*.pyi",
    "**/py.typed",
    "botocore/data/*/*/examples-1.json*",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css",
    # What pip notes about its own work differs from machine to machine.
    "*.dist-info/INSTALLER",
    "*.dist-info/RECORD",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    # Drawing text, and showing pictures on a screen.
    "PIL/_imagingft.*",
    "PIL/_imagingtk.*",
    "PIL/ImageQt.py",
    "PIL/ImageTk.py",
    "PIL/_tkinter_finder.py",
    "pillow.libs/libfreetype-*",
    "pillow.libs/libharfbuzz-*",
    "pillow.libs/libbrotli*",
)


def trim(folder: Path, services: Collection[str] = SERVICES) -> None:
    """Delete from `folder`, into which wheels were installed, what the functions do not need."""
    for pattern in _UNUSED:
        for path in sorted(folder.glob(pattern)):
            _delete(path)
    for service in (folder / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in services:
            _delete(service)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
