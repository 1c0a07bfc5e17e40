"""Bringing one image to the pipeline: upload it, send a message for it, or leave it because all is done."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from pipeline.keys import MAX_KEY_BYTES
from setup_scripts.folder import LocalImage
from setup_scripts.lookup import look

if TYPE_CHECKING:
    from cli.aws import Aws

Item = Mapping[str, Any]
#: What S3 takes in one request.
_MOST_BYTES = 5 * 1024**3


class Way(Enum):
    UPLOADED = "uploaded"
    ANNOUNCED = "message sent"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Sent:
    """An object whose record is awaited: it names this version, and is not the one that was there `before`."""

    key: str
    etag: str
    version_id: str | None
    way: Way
    before: str | None = None

    def is_answered_by(self, item: Item | None) -> bool:
        """Whether `item` is the record of this very object, made after it was sent."""
        if item is None or item.get("ETag") != self.etag or item.get("VersionId") != self.version_id:
            return False
        return bool(item.get("ProcessedAt") != self.before)


@dataclass(frozen=True)
class Sender:
    """The uploads bucket and its queue; safe to share between threads."""

    aws: Aws
    bucket: str
    queue_url: str

    def send(self, image: LocalImage, item: Item | None, *, force: bool) -> Sent:
        """Upload `image` unless the bucket has just these bytes; then send a message unless `item` is their record."""
        if len(image.key.encode()) > MAX_KEY_BYTES:
            raise ValueError(f"its path has more than the {MAX_KEY_BYTES} bytes that S3 allows")
        if (size := image.path.stat().st_size) > _MOST_BYTES:
            raise ValueError(f"it has {size:,} bytes, and one upload at most {_MOST_BYTES:,}")
        digest = _md5(image)
        present = look(lambda: self.aws.s3.head_object(Bucket=self.bucket, Key=image.key), "404", "NoSuchKey")
        if present is None or present["ETag"].strip('"') != digest.hex():
            return self._upload(image, digest)
        sent = Sent(image.key, present["ETag"].strip('"'), _version(present), Way.UNCHANGED)
        if sent.is_answered_by(item) and not force:
            return sent
        return self.announce(sent, item, force=force)

    def announce(self, sent: Sent, item: Item | None, *, force: bool) -> Sent:
        """Send the message that names an object which is in the bucket already."""
        body: dict[str, object] = {"bucket_name": self.bucket, "image_key": sent.key}
        if force:
            body["force"] = True
        self.aws.sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(body))
        before = item.get("ProcessedAt") if item and force else None
        return Sent(sent.key, sent.etag, sent.version_id, Way.ANNOUNCED, before)

    def look_up(self, key: str) -> Sent:
        """The object under `key` as it is now."""
        present = self.aws.s3.head_object(Bucket=self.bucket, Key=key)
        return Sent(key, present["ETag"].strip('"'), _version(present), Way.UNCHANGED)

    def _upload(self, image: LocalImage, digest: bytes) -> Sent:
        """S3 refuses a file that is no longer the one that was read before."""
        with image.path.open("rb") as file:
            put = self.aws.s3.put_object(
                Bucket=self.bucket,
                Key=image.key,
                Body=file,
                ContentType=image.content_type,
                ContentMD5=b64encode(digest).decode(),
            )
        return Sent(image.key, put["ETag"].strip('"'), _version(put), Way.UPLOADED)


def _md5(image: LocalImage) -> bytes:
    """Piece by piece: many are read at one time, and one may be larger than this machine's memory."""
    with image.path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()


def _version(answer: Any) -> str | None:
    version_id = answer.get("VersionId")
    return None if version_id in (None, "null") else version_id
