"""The gallery API as Lambda calls it, over moto's table filled by the module that fills it in the product."""

from __future__ import annotations

import base64
import gzip
import importlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from pipeline.errors import Code
from pipeline.job import Outcome, PlacedOutput, Record
from pipeline.settings import Settings
from pipeline.table.items import to_item
from setup_scripts.create_dynamodb_table import schema
from setup_scripts.create_stats_table import schema as stats_schema

EVENTS = Path(__file__).parent.parent / "events"


TABLE = "ImageMetadata"


STATS_TABLE = "ImageStats"


SETTINGS = Settings(
    uploads_bucket="uploads",
    outputs_bucket="outputs",
    table_name=TABLE,
    outputs_url="https://outputs.s3.amazonaws.com",
    uploads_url="https://uploads.s3.amazonaws.com",
    queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/uploads",
)


@dataclass
class GalleryContext:
    function_name: str = "ImageGalleryFunction"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:ImageGalleryFunction"
    aws_request_id: str = "9be1ab6c-8a5c-4a4e-8b5c-1d1f0a3c2b10"


class Api:
    """The entry point, freshly imported, with its client and what it logs."""

    def __init__(self) -> None:
        sys.modules.pop("lambda_function.gallery_api", None)
        self.module: Any = importlib.import_module("lambda_function.gallery_api")
        self._hooks: list[tuple[str, Any]] = []

    def listen(self) -> None:
        """Take what is logged from now on; all imports of the module share one handler."""
        self.log = io.StringIO()
        self.module.logger.registered_handler.setStream(self.log)

    def call(self, event: dict[str, Any] | str = "images", **parameters: str) -> Any:
        event = event_named(event) if isinstance(event, str) else event
        if parameters:
            event["queryStringParameters"] = parameters
        answer = self.module.lambda_handler(event, GalleryContext())
        if answer["isBase64Encoded"]:
            answer["body"] = gzip.decompress(base64.b64decode(answer["body"])).decode()
        return answer

    def get(self, path: str = "/images", **parameters: str) -> Any:
        answer = self.call({**event_named("images"), "rawPath": path, "queryStringParameters": parameters})
        assert answer["statusCode"] == 200, answer["body"]
        return json.loads(answer["body"])

    def before_query(self, hook: Any) -> None:
        self._hook("before-call.dynamodb.Query", hook)

    def after_query(self, hook: Any) -> None:
        self._hook("after-call.dynamodb.Query", hook)

    def _hook(self, event: str, hook: Any) -> None:
        self.module.dynamodb.meta.events.register(event, hook)
        self._hooks.append((event, hook))

    def forget(self) -> None:
        """Take the hooks out again, for the next test."""
        for event, hook in self._hooks:
            self.module.dynamodb.meta.events.unregister(event, hook)
        self._hooks.clear()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def create_tables(client: Any) -> None:
    client.create_table(TableName=TABLE, **schema())
    client.create_table(TableName=STATS_TABLE, **stats_schema())


def event_named(name: str) -> Any:
    return json.loads((EVENTS / f"function_url_{name}.json").read_text())


def at(second: int) -> str:
    return f"2026-03-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000Z"


def done_image(key: str, second: int) -> Record:
    outputs = tuple(
        PlacedOutput(
            name, f"{folder}/{key}/0.{extension}", f"https://outputs/{folder}/0", "image/webp", 4000, (256, 171)
        )
        for name, folder, extension in (("thumbnail", "thumbnails", "webp"), ("compressed", "compressed", "jpg"))
    )
    return Record(
        image_id=key,
        outcome=Outcome.DONE,
        etag="secret-etag",
        version_id="secret-version",
        options_hash="secret-options",
        processed_at=at(second),
        original_url="https://uploads/secret-original",
        original_bytes=16000,
        pipeline_version="0.1.0",
        outputs=outputs,
        pixel_width=1200,
        pixel_height=800,
        image_format="JPEG",
        content_type="image/jpeg",
        sha256="secret-hash",
        taken_at="2020-05-05T05:05:05",
        camera_model="secret-camera",
    )


def failed_image(key: str, second: int) -> Record:
    return Record(
        image_id=key,
        outcome=Outcome.FAILED,
        etag="e",
        version_id=None,
        options_hash="o",
        processed_at=at(second),
        original_url="https://uploads/secret-original",
        original_bytes=12,
        pipeline_version="0.1.0",
        error_code=Code.CORRUPT_FILE,
        error_message="secret-message",
    )


def fill(dynamodb: Any, count: int, *, per_second: int = 1) -> list[str]:
    """`count` images, `per_second` of them at the same time; their keys, newest first."""
    serializer = TypeSerializer()
    for number in range(count):
        # The product updates; here PutItem does, which moto answers many times faster.
        item = to_item(done_image(f"album/{number:03}.jpg", number // per_second))
        dynamodb.put_item(TableName=TABLE, Item={name: serializer.serialize(value) for name, value in item.items()})
    return [f"album/{number:03}.jpg" for number in reversed(range(count))]


def walk(api: Api, limit: int, **parameters: str) -> list[dict[str, Any]]:
    body = api.get(limit=str(limit), **parameters)
    pages = [body]
    while body["cursor"]:
        body = api.get(limit=str(limit), cursor=body["cursor"], **parameters)
        pages.append(body)
    assert all(len(page["images"]) <= limit for page in pages)
    return [image for page in pages for image in page["images"]]


def keys_of(images: list[dict[str, Any]]) -> list[str]:
    return [image["ImageID"] for image in images]
