"""What `process` works with: the edges, built once and shared by threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.budget import PIXELS_IN_FLIGHT, Budget, PixelBudget
from pipeline.images.isolate import transform_isolated
from pipeline.images.transform import Transformed, transform
from pipeline.settings import Settings
from pipeline.storage import Storage
from pipeline.table.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Services:
    """The edges, and what they need to know about this deployment.

    `transform` makes the images, and `isolated` does so in a child process; a bulk program may bring its own, which may
    raise SkipError for an image that is best left alone. Jobs that keep no record need none of `records`.
    """

    storage: Storage
    records: Records | None = None
    budget: Budget
    outputs_bucket: str = ""
    outputs_url: str = ""
    uploads_url: str = ""
    function_timeout: int = 120
    transform: Callable[..., Transformed] = transform
    isolated: Callable[..., Transformed] = transform_isolated
    now: Callable[[], datetime] = utc_now


def connect(settings: Settings, s3: S3Client, dynamodb: DynamoDBClient) -> Services:
    """The services of a deployed function; the clients are the caller's, made once."""
    return Services(
        storage=Storage(s3),
        records=Records(dynamodb, settings.table_name),
        budget=PixelBudget(PIXELS_IN_FLIGHT),
        outputs_bucket=settings.outputs_bucket,
        outputs_url=settings.outputs_url,
        uploads_url=settings.uploads_url,
        function_timeout=settings.function_timeout,
    )
