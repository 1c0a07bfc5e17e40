"""The gallery API as Lambda calls it, over moto's table filled by the module that fills it in the product."""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from moto import mock_aws

from pipeline.errors import Code
from pipeline.job import Outcome, PlacedOutput, Record
from pipeline.records import CAPTURE_FIELDS, NEWEST_INDEX, PUBLIC_FIELDS, Records, to_item
from pipeline.settings import Settings

EVENTS = Path(__file__).parent.parent / "events"
TABLE = "ImageMetadata"
SETTINGS = Settings(
    uploads_bucket="uploads",
    outputs_bucket="outputs",
    table_name=TABLE,
    outputs_url="https://outputs.s3.amazonaws.com",
    uploads_url="https://uploads.s3.amazonaws.com",
    queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/uploads",
)


@dataclass
class Context:
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
        event = _event(event) if isinstance(event, str) else event
        if parameters:
            event["queryStringParameters"] = parameters
        return self.module.lambda_handler(event, Context())

    def get(self, **parameters: str) -> Any:
        answer = self.call(**parameters)
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


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    """moto and a client of it, once for all tests here: making clients is what takes long."""
    with pytest.MonkeyPatch.context() as environ, mock_aws():
        environ.delenv("AWS_ENDPOINT_URL")
        for name, value in SETTINGS.to_environment().items():
            environ.setenv(name, value)
        yield boto3.client("dynamodb")


@pytest.fixture(scope="module")
def imported(cloud: Any) -> Api:
    return Api()


@pytest.fixture
def dynamodb(cloud: Any) -> Iterator[Any]:
    _create_table(cloud)
    yield cloud
    cloud.delete_table(TableName=TABLE)


@pytest.fixture
def records(dynamodb: Any) -> Records:
    return Records(dynamodb, TABLE)


@pytest.fixture
def api(dynamodb: Any, imported: Api) -> Iterator[Api]:
    imported.listen()
    yield imported
    imported.forget()


def _create_table(client: Any) -> None:
    keys = {"Feed": "HASH", "ProcessedAt": "RANGE"}
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("ImageID", *keys)],
        KeySchema=[{"AttributeName": "ImageID", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": NEWEST_INDEX,
                "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
                # More than the API may show: what it holds back must not depend on what the index holds.
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _event(name: str) -> Any:
    return json.loads((EVENTS / f"function_url_{name}.json").read_text())


def _at(second: int) -> str:
    return f"2026-03-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000Z"


def _done(key: str, second: int) -> Record:
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
        processed_at=_at(second),
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


def _failed(key: str, second: int) -> Record:
    return Record(
        image_id=key,
        outcome=Outcome.FAILED,
        etag="e",
        version_id=None,
        options_hash="o",
        processed_at=_at(second),
        original_url="https://uploads/secret-original",
        original_bytes=12,
        pipeline_version="0.1.0",
        error_code=Code.CORRUPT_FILE,
        error_message="secret-message",
    )


def _fill(dynamodb: Any, count: int, *, per_second: int = 1) -> list[str]:
    """`count` images, `per_second` of them at the same time; their keys, newest first."""
    serializer = TypeSerializer()
    for number in range(count):
        # The product updates; here PutItem does, which moto answers many times faster.
        item = to_item(_done(f"album/{number:03}.jpg", number // per_second))
        dynamodb.put_item(TableName=TABLE, Item={name: serializer.serialize(value) for name, value in item.items()})
    return [f"album/{number:03}.jpg" for number in reversed(range(count))]


def _walk(api: Api, limit: int) -> list[dict[str, Any]]:
    body = api.get(limit=str(limit))
    pages = [body]
    while body["cursor"]:
        body = api.get(limit=str(limit), cursor=body["cursor"])
        pages.append(body)
    return [image for page in pages for image in page["images"]]


def _keys(images: list[dict[str, Any]]) -> list[str]:
    return [image["ImageID"] for image in images]


def test_a_new_gallery_is_an_empty_list_without_a_cursor(api):
    answer = api.call()

    assert json.loads(answer["body"]) == {"images": [], "cursor": None}
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["headers"]["Cache-Control"] == "public, max-age=5"
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"


def test_fifty_images_come_first_and_the_cursor_leads_to_the_others(api, dynamodb):
    keys = _fill(dynamodb, 60)

    first = api.get()
    second = api.get(cursor=first["cursor"])

    assert _keys(first["images"]) == keys[:50]
    assert _keys(second["images"]) == keys[50:]
    assert second["cursor"] is None


@pytest.mark.parametrize("limit", [1, 3, 7, 24, 200])
def test_pages_of_any_size_together_show_every_image_once_newest_first(api, dynamodb, limit):
    keys = _fill(dynamodb, 24)

    assert _keys(_walk(api, limit)) == keys


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_images_of_the_same_instant_are_neither_lost_nor_shown_twice(api, dynamodb, limit):
    keys = _fill(dynamodb, 24, per_second=12)

    images = _walk(api, limit)

    assert sorted(_keys(images)) == sorted(keys)
    assert [image["ProcessedAt"] for image in images] == [_at(1)] * 12 + [_at(0)] * 12


@pytest.mark.parametrize(
    "key", ["é + 1.jpg", "a b%20c&d=e?#.png", "<script>.jpg", "x" * 1024, "界" * 341, "line\nend\x00"]
)
def test_odd_and_long_keys_can_be_read_and_read_past(api, records, key):
    for number in range(3):
        # The same instant: the cursor has to carry the keys themselves.
        records.put(_done(f"{number}{key}"[:1024], 5), replacing=None)

    assert sorted(_keys(_walk(api, 1))) == sorted(f"{number}{key}"[:1024] for number in range(3))


def test_images_that_arrive_between_two_pages_wait_for_the_next_visit(api, records, dynamodb):
    keys = _fill(dynamodb, 10)
    first = api.get(limit="4")

    records.put(_done("late.jpg", 3600), replacing=None)
    second = api.get(limit="200", cursor=first["cursor"])

    assert _keys(first["images"]) + _keys(second["images"]) == keys
    assert _keys(api.get()["images"])[0] == "late.jpg"


def test_only_public_fields_leave_the_table(api, records, dynamodb):
    records.put(_done("a.jpg", 2), replacing=None)
    records.put(_failed("b.jpg", 1), replacing=None)
    update = "UPDATE \"ImageMetadata\" SET Note = 'secret-note' WHERE ImageID = 'a.jpg'"
    dynamodb.execute_statement(Statement=update)

    answer = api.call()
    done, failed = json.loads(answer["body"])["images"]

    assert set(done) <= set(PUBLIC_FIELDS)
    assert "secret" not in answer["body"]
    assert failed["Outcome"] == "FAILED"
    assert failed["ErrorCode"] == "CORRUPT_FILE"
    assert "ThumbnailURL" not in failed


def test_capture_facts_are_shown_where_the_setting_allows_it(dynamodb, records, monkeypatch):
    monkeypatch.setenv("PUBLIC_CAPTURE_FACTS", "true")
    records.put(_done("a.jpg", 1), replacing=None)

    (image,) = Api().get()["images"]

    assert {name: image[name] for name in CAPTURE_FIELDS} == {
        "TakenAt": "2020-05-05T05:05:05",
        "CameraModel": "secret-camera",
    }


def test_numbers_arrive_as_numbers(api, records):
    records.put(_done("a.jpg", 1), replacing=None)

    (image,) = json.loads(api.call()["body"], parse_float=Decimal)["images"]

    assert (image["PixelWidth"], image["PixelHeight"], image["OriginalBytes"]) == (1200, 800, 16000)
    assert image["SavedPercent"] == 75
    assert [output["OutputBytes"] for output in image["Outputs"]] == [4000, 4000]


@pytest.mark.parametrize(
    "limit", ["0", "201", "-1", "", "ten", "1.5", " 1", "1e1", "1_0", "٣", "9" * 400, "1,2", "\u0000"]
)
def test_a_bad_limit_is_refused_with_the_reason(api, limit):
    answer = api.call(limit=limit)
    problem = json.loads(answer["body"])

    assert answer["statusCode"] == 400
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert (problem["title"], problem["status"]) == ("Bad Request", 400)
    assert "limit=" in problem["detail"] and "1 to 200" in problem["detail"]
    assert len(problem["detail"]) < 500


@pytest.mark.parametrize("cursor", ["", "x", "null", "AAAA", "é", "../..", "'; DROP TABLE", "=" * 9000])
def test_a_bad_cursor_is_refused_with_the_reason(api, cursor):
    answer = api.call(cursor=cursor)

    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["detail"].startswith("cursor=")


def test_a_cursor_that_was_tampered_with_is_refused(api, dynamodb):
    _fill(dynamodb, 3)
    cursor = api.get(limit="1")["cursor"]

    assert api.call(cursor=cursor.swapcase())["statusCode"] == 400
    assert api.call(cursor=cursor[:-1])["statusCode"] == 400


def test_an_unknown_path_is_a_problem_too(api):
    answer = api.call("unknown_path")

    assert answer["statusCode"] == 404
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert "/images" in json.loads(answer["body"])["detail"]


def test_the_api_only_reads(api):
    answer = api.call("post")

    assert answer["statusCode"] == 405
    assert answer["headers"]["Allow"] == "GET, OPTIONS"


def test_any_site_may_read_but_without_credentials(api):
    headers = api.call("images_cross_origin")["headers"]

    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in headers


def test_errors_can_be_read_by_other_sites_as_well(api):
    answer = api.call(_event("images_cross_origin") | {"rawPath": "/nothing"})

    assert answer["statusCode"] == 404
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_is_allowed_to_get_only(api):
    answer = api.call("preflight")

    assert answer["statusCode"] == 204
    assert "DELETE" not in answer["headers"]["Access-Control-Allow-Methods"]
    assert "GET" in answer["headers"]["Access-Control-Allow-Methods"]


def test_a_throttled_table_is_a_503_that_says_when_to_come_back(api):
    def throttle(**_: Any) -> None:
        response: Any = {
            "Error": {"Code": "ProvisionedThroughputExceededException"},
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {"retry-after": "7"}},
        }
        raise ClientError(response, "Query")

    api.before_query(throttle)
    answer = api.call()

    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "7"
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert "Throughput" not in answer["body"]
    assert "ProvisionedThroughputExceededException" in api.lines[0]["reason"]


def test_a_bug_is_a_500_that_tells_the_log_everything_and_the_client_nothing(api):
    def break_down(**_: Any) -> None:
        raise ZeroDivisionError("secret")

    api.before_query(break_down)
    answer = api.call()

    assert answer["statusCode"] == 500
    assert "secret" not in answer["body"] and "ZeroDivision" not in answer["body"]
    assert "ZeroDivisionError: secret" in api.lines[0]["exception"]


@pytest.mark.parametrize("limit", [1, 10, 200])
def test_no_page_evaluates_more_than_one_item_too_many_in_each_shard(api, dynamodb, limit):
    _fill(dynamodb, 120, per_second=30)
    evaluated: list[int] = []
    api.after_query(lambda parsed, **_: evaluated.append(parsed["ScannedCount"]))

    body = api.get(limit=str(limit))
    first, evaluated[:] = sum(evaluated), []
    if body["cursor"]:
        api.get(limit=str(limit), cursor=body["cursor"])

    assert first <= 4 * (limit + 1)
    assert sum(evaluated) <= 4 * (limit + 1)


def test_each_call_is_one_line_in_the_log(api, dynamodb):
    _fill(dynamodb, 3)

    api.get(limit="2")
    api.call(limit="0")
    api.call(_event("images") | {"rawPath": "/" + "\n\x1b[31m" * 100})

    good, bad, odd = api.lines
    assert (good["path"], good["status"], good["images"]) == ("/images", 200, 2)
    assert good["function_request_id"] == Context().aws_request_id
    assert good["ms"] >= 0
    assert bad["status"] == 400 and "images" not in bad
    assert odd["status"] == 404 and len(odd["path"]) <= 80
