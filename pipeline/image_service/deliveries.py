"""What is left to be said of a reply that could not be delivered at once: an object in S3 until all of it is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.aws_errors import retried
from pipeline.image_service.job import DELIVERIES
from pipeline.objects import read_small

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Delivery:
    """A reply on its way: what it says, and how each place that needs no further try was told, by its name."""

    body: Mapping[str, Any]
    told: Mapping[str, str]


class Deliveries:
    """Deliveries that were begun, by the id of the reply. Every method raises RetryError as the other edges do."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def begun(self, reply_id: str) -> Delivery | None:
        """How far an earlier try came; None where there was none, or it left nothing behind."""
        found = read_small(self._s3, self._bucket, _key(reply_id))
        return Delivery(**json.loads(found[0])) if found else None

    def keep(self, reply_id: str, delivery: Delivery) -> None:
        # Not `asdict`, which copies by recursion: what json reads may lie deeper than Python can go.
        key, text = _key(reply_id), json.dumps({"body": delivery.body, "told": delivery.told})
        with retried(f"PutObject s3://{self._bucket}/{key}"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=text.encode(), ContentType="application/json")

    def forget(self, reply_id: str) -> None:
        with retried(f"DeleteObject s3://{self._bucket}/{_key(reply_id)}"):
            self._s3.delete_object(Bucket=self._bucket, Key=_key(reply_id))


def _key(reply_id: str) -> str:
    return f"{DELIVERIES}/{reply_id}.json"
