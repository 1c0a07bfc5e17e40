"""Records as items of the metadata table: their attributes, the indexes over them, and what of them is public.

Every attribute is named so that it is no DynamoDB reserved word and plain PartiQL can say it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from pipeline.errors import Code
from pipeline.job import Outcome, PlacedOutput, Record

E = TypeVar("E", bound=StrEnum)

NEWEST_INDEX = "Newest"
BY_KEY_INDEX = "ByKey"
PROBLEMS_INDEX = "Problems"

#: Values of `Feed`: the partitions over which the indexes are spread. Changing their number means a new table.
SHARDS = ("0", "1", "2", "3")

#: What the gallery API may show of an item. An allow-list: nothing else ever leaves the table towards a browser.
PUBLIC_FIELDS = (
    "ImageID",
    "Outcome",
    "ErrorCode",
    "ThumbnailURL",
    "CompressedURL",
    "Outputs",
    "OriginalBytes",
    "CompressedBytes",
    "ThumbnailBytes",
    "SavedPercent",
    "PixelWidth",
    "PixelHeight",
    "ImageFormat",
    "Placeholder",
    "ProcessedAt",
)
#: Shown as well where the setting PUBLIC_CAPTURE_FACTS allows it.
CAPTURE_FIELDS = ("TakenAt", "CameraModel")

_ATTRIBUTES = {
    "ImageID": "image_id",
    "Outcome": "outcome",
    "ErrorCode": "error_code",
    "ErrorMessage": "error_message",
    "OriginalURL": "original_url",
    "OriginalBytes": "original_bytes",
    "PixelWidth": "pixel_width",
    "PixelHeight": "pixel_height",
    "ImageFormat": "image_format",
    "ContentType": "content_type",
    "SHA256": "sha256",
    "ETag": "etag",
    "VersionId": "version_id",
    "TakenAt": "taken_at",
    "CameraModel": "camera_model",
    "Placeholder": "placeholder",
    "ProcessedAt": "processed_at",
    "OptionsHash": "options_hash",
    "PipelineVersion": "pipeline_version",
}
_DERIVED = (
    "ThumbnailURL",
    "ThumbnailKey",
    "ThumbnailBytes",
    "CompressedURL",
    "CompressedKey",
    "CompressedBytes",
    "SavedPercent",
    "Outputs",
    "Feed",
    "Failing",
)
#: The texts that every record has, by their names in it.
_TEXTS = ("etag", "options_hash", "processed_at", "original_url", "pipeline_version")
#: Every attribute that we write; all others of an item are somebody else's.
OWNED = (*(name for name in _ATTRIBUTES if name != "ImageID"), *_DERIVED)


def feed_of(image_id: str) -> str:
    """The shard of an image: the same everywhere and for ever."""
    return SHARDS[hashlib.sha256(image_id.encode()).digest()[0] % len(SHARDS)]


def to_item(record: Record) -> dict[str, Any]:
    """A record as plain values under their attribute names; what is None is left out."""
    item = {name: getattr(record, field) for name, field in _ATTRIBUTES.items()}
    item |= _derived(record)
    return {name: _plain(value) for name, value in item.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> Record:
    """The record in an item that `to_item` made; attributes of others are ignored.

    Users write to the table, and a later version may have. What cannot be read is left out, so that the record is of an
    image that is not done: it is made again, and not stopped at for ever.
    """
    fields = {field: item.get(name) for name, field in _ATTRIBUTES.items()}
    numbers = {name: int(value) for name, value in fields.items() if isinstance(value, Decimal)}
    texts = {name: value if isinstance(value := fields[name], str) else "" for name in _TEXTS}
    listed = item.get("Outputs")
    read = [_output_from(entry) for entry in listed] if isinstance(listed, list) else []
    outputs = tuple(filter(None, read))
    outcome = _member(Outcome, item.get("Outcome"))
    known: dict[str, Any] = {
        **fields,
        **numbers,
        **texts,
        "version_id": fields["version_id"] if isinstance(fields["version_id"], str) else None,
        # One that is done lists its outputs, and nothing else there.
        "outcome": Outcome.DONE if outcome is Outcome.DONE and 0 < len(read) == len(outputs) else Outcome.FAILED,
        "error_code": _member(Code, fields["error_code"]),
    }
    return Record(**known, outputs=outputs)


def _member(kind: type[E], value: object) -> E | None:
    try:
        return kind(str(value))
    except ValueError:
        return None


def _derived(record: Record) -> dict[str, Any]:
    thumbnail, compressed = record.output("thumbnail"), record.output("compressed")
    feed = feed_of(record.image_id)
    return {
        "ThumbnailURL": thumbnail and thumbnail.url,
        "ThumbnailKey": thumbnail and thumbnail.key,
        "ThumbnailBytes": thumbnail and thumbnail.bytes,
        "CompressedURL": compressed and compressed.url,
        "CompressedKey": compressed and compressed.key,
        "CompressedBytes": compressed and compressed.bytes,
        "SavedPercent": compressed and saved_percent(record.original_bytes, compressed.bytes),
        "Outputs": [_output_item(output) for output in record.outputs] or None,
        "Feed": feed,
        "Failing": feed if record.outcome is Outcome.FAILED else None,
    }


def saved_percent(before: int, after: int) -> Decimal:
    """How much smaller `after` is than `before`, in percent with one decimal; negative where it grew."""
    return (Decimal(100) * (before - after) / before).quantize(Decimal("0.1")) if before else Decimal(0)


def _output_item(output: PlacedOutput) -> dict[str, Any]:
    width, height = output.size
    return {
        "OutputName": output.name,
        "OutputKey": output.key,
        "OutputURL": output.url,
        "OutputType": output.content_type,
        "OutputBytes": output.bytes,
        "OutputWidth": width,
        "OutputHeight": height,
    }


def _output_from(item: Any) -> PlacedOutput | None:
    try:
        return PlacedOutput(
            name=str(item["OutputName"]),
            key=str(item["OutputKey"]),
            url=str(item["OutputURL"]),
            content_type=str(item["OutputType"]),
            bytes=int(item["OutputBytes"]),
            size=(int(item["OutputWidth"]), int(item["OutputHeight"])),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, (Outcome, Code)) else value
