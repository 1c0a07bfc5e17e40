"""The metadata table: one item per image, changed only on condition that it is still the one that was read.

Items are written by UpdateItem, never PutItem: `Note`, and whatever else users add by PartiQL, is theirs and stays.
Every attribute is named so that it is no DynamoDB reserved word and plain PartiQL can say it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from pipeline.aws_errors import code_of, retried
from pipeline.errors import Code
from pipeline.job import Outcome, PlacedOutput, Record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

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
_OWNED = (*(name for name in _ATTRIBUTES if name != "ImageID"), *_DERIVED)


def feed_of(image_id: str) -> str:
    """The shard of an image: the same everywhere and for ever."""
    return SHARDS[hashlib.sha256(image_id.encode()).digest()[0] % len(SHARDS)]


def to_item(record: Record) -> dict[str, Any]:
    """A record as plain values under their attribute names; what is None is left out."""
    item = {name: getattr(record, field) for name, field in _ATTRIBUTES.items()}
    item |= _derived(record)
    return {name: _plain(value) for name, value in item.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> Record:
    """The record in an item that `to_item` made; attributes of others are ignored."""
    fields = {field: item.get(name) for name, field in _ATTRIBUTES.items()}
    numbers = {name: int(value) for name, value in fields.items() if isinstance(value, Decimal)}
    outputs = tuple(_output_from(entry) for entry in item.get("Outputs", ()))
    code = Code(fields["error_code"]) if fields["error_code"] else None
    known: dict[str, Any] = {**fields, **numbers, "outcome": Outcome(item["Outcome"]), "error_code": code}
    return Record(**known, outputs=outputs)


class Records:
    """The records of one table. Every method raises RetryError for whatever DynamoDB may answer better later."""

    def __init__(self, dynamodb: DynamoDBClient, table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name

    def get(self, image_id: str) -> Record | None:
        """The record as it is now (a consistent read), or None; an item that only users wrote to is no record."""
        with retried(f"GetItem {image_id!r}"):
            answer = self._dynamodb.get_item(
                TableName=self._table_name, Key={"ImageID": {"S": image_id}}, ConsistentRead=True
            )
        item = decode_item(answer.get("Item", {}))
        return from_item(item) if "ProcessedAt" in item else None

    def put(self, record: Record, *, replacing: Record | None) -> bool:
        """Write `record` over the one that was read before; False where that is no longer the one in the table."""
        item = to_item(record)
        written = {name: item[name] for name in _OWNED if name in item}
        removed = [name for name in _OWNED if name not in item]
        condition, seen = _still(replacing)
        values = {f":{name}": value for name, value in written.items()} | seen
        update = "SET " + ", ".join(f"{name} = :{name}" for name in written)
        if removed:
            update += " REMOVE " + ", ".join(removed)
        with retried(f"UpdateItem {record.image_id!r}"):
            try:
                self._dynamodb.update_item(
                    TableName=self._table_name,
                    Key={"ImageID": {"S": record.image_id}},
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=_encoded(values),
                )
            except ClientError as error:
                return _not_refused(error)
        return True

    def delete(self, record: Record) -> bool:
        """Delete the item if it still holds `record`; False where it holds another or none."""
        condition, seen = _still(record)
        with retried(f"DeleteItem {record.image_id!r}"):
            try:
                self._dynamodb.delete_item(
                    TableName=self._table_name,
                    Key={"ImageID": {"S": record.image_id}},
                    ConditionExpression=condition,
                    ExpressionAttributeValues=_encoded(seen),
                )
            except ClientError as error:
                return _not_refused(error)
        return True


def decode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB's typed values as plain ones; numbers become Decimal."""
    decoder = TypeDeserializer()
    return {name: decoder.deserialize(value) for name, value in item.items()}


def _encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    encoder = TypeSerializer()
    return {name: encoder.serialize(value) for name, value in values.items()}


def _still(record: Record | None) -> tuple[str, dict[str, Any]]:
    """The condition that an item still holds `record`, and the values it needs."""
    if record is None:
        return "attribute_not_exists(ProcessedAt)", {}
    condition = "ProcessedAt = :seen_at AND OptionsHash = :seen_options AND ETag = :seen_etag"
    seen = {":seen_at": record.processed_at, ":seen_options": record.options_hash, ":seen_etag": record.etag}
    if record.version_id is None:
        return f"{condition} AND attribute_not_exists(VersionId)", seen
    return f"{condition} AND VersionId = :seen_version", {**seen, ":seen_version": record.version_id}


def _not_refused(error: ClientError) -> bool:
    if code_of(error) == "ConditionalCheckFailedException":
        return False
    raise error


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


def _output_from(item: Mapping[str, Any]) -> PlacedOutput:
    return PlacedOutput(
        name=item["OutputName"],
        key=item["OutputKey"],
        url=item["OutputURL"],
        content_type=item["OutputType"],
        bytes=int(item["OutputBytes"]),
        size=(int(item["OutputWidth"]), int(item["OutputHeight"])),
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, (Outcome, Code)) else value
