"""The gallery API as Lambda calls it, over moto's table filled by the module that fills it in the product."""

from __future__ import annotations

import base64
import gzip
import importlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from moto import mock_aws

from pipeline.counting import Change
from pipeline.errors import Code
from pipeline.items import CAPTURE_FIELDS, PUBLIC_FIELDS, to_item
from pipeline.job import Outcome, PlacedOutput, Record
from pipeline.records import Records
from pipeline.settings import Settings
from pipeline.stats import Stats
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
        answer = self.module.lambda_handler(event, Context())
        if answer["isBase64Encoded"]:
            answer["body"] = gzip.decompress(base64.b64decode(answer["body"])).decode()
        return answer

    def get(self, path: str = "/images", **parameters: str) -> Any:
        answer = self.call({**_event("images"), "rawPath": path, "queryStringParameters": parameters})
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
    cloud.delete_table(TableName=STATS_TABLE)


@pytest.fixture
def records(dynamodb: Any) -> Records:
    return Records(dynamodb, TABLE)


@pytest.fixture
def api(dynamodb: Any, imported: Api) -> Iterator[Api]:
    imported.listen()
    yield imported
    imported.forget()


def _create_table(client: Any) -> None:
    client.create_table(TableName=TABLE, **schema())
    client.create_table(TableName=STATS_TABLE, **stats_schema())


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


def _walk(api: Api, limit: int, **parameters: str) -> list[dict[str, Any]]:
    body = api.get(limit=str(limit), **parameters)
    pages = [body]
    while body["cursor"]:
        body = api.get(limit=str(limit), cursor=body["cursor"], **parameters)
        pages.append(body)
    assert all(len(page["images"]) <= limit for page in pages)
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
    assert "Origin" in headers["Vary"]
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


def _put(records: Records, *wanted: tuple[str, int, dict[str, Any]]) -> None:
    for key, second, changes in wanted:
        records.put(replace(_done(key, second), **changes), replacing=None)


NEWEST_FIRST = ["trees/broken.jpg", "été.jpg", "sea/shore.jpg", "trees/elm.png", "trees/oak.jpg", "sea/waves.jpg"]


@pytest.fixture
def mixed(records: Records) -> None:
    """Six images, one of them a problem, of several folders, formats, sizes and months."""
    _put(
        records,
        ("trees/oak.jpg", 10, {"original_bytes": 100}),
        ("trees/elm.png", 20, {"image_format": "PNG", "original_bytes": 5_000}),
        ("sea/shore.jpg", 30, {"original_bytes": 2_000_000}),
        ("sea/waves.jpg", 40, {"original_bytes": 3_000_000, "processed_at": "2026-02-28T23:59:59.999999Z"}),
        ("été.jpg", 50, {"original_bytes": 10}),
    )
    records.put(_failed("trees/broken.jpg", 60), replacing=None)


@pytest.mark.parametrize(
    ("parameters", "keys"),
    [
        ({}, NEWEST_FIRST),
        ({"sort": "oldest"}, NEWEST_FIRST[::-1]),
        ({"sort": "name"}, sorted(NEWEST_FIRST)),
        ({"prefix": "trees/"}, ["trees/broken.jpg", "trees/elm.png", "trees/oak.jpg"]),
        ({"prefix": "tre", "sort": "newest"}, ["trees/broken.jpg", "trees/elm.png", "trees/oak.jpg"]),
        ({"prefix": "tre", "sort": "oldest"}, ["trees/oak.jpg", "trees/elm.png", "trees/broken.jpg"]),
        ({"prefix": "é"}, ["été.jpg"]),
        ({"prefix": "Trees"}, []),
        ({"prefix": ""}, NEWEST_FIRST),
        ({"format": "png"}, ["trees/elm.png"]),
        ({"outcome": "FAILED"}, ["trees/broken.jpg"]),
        ({"outcome": "FAILED", "sort": "oldest", "since": "2026-03"}, ["trees/broken.jpg"]),
        ({"outcome": "FAILED", "prefix": "sea"}, []),
        ({"outcome": "DONE", "prefix": "trees/"}, ["trees/elm.png", "trees/oak.jpg"]),
        ({"until": "2026-03"}, ["sea/waves.jpg"]),
        ({"since": "2026-02", "until": "2026-03-01"}, ["sea/waves.jpg"]),
        ({"since": "2026-03-01T00:00:30Z"}, ["trees/broken.jpg", "été.jpg", "sea/shore.jpg"]),
        ({"since": "2026-03-01T01:00:30+01:00", "sort": "oldest"}, ["sea/shore.jpg", "été.jpg", "trees/broken.jpg"]),
        ({"until": "2026-03-01T00:00:30Z", "prefix": "sea"}, ["sea/waves.jpg"]),
        ({"since": "2026-03", "prefix": "sea"}, ["sea/shore.jpg"]),
        ({"min_bytes": "100", "max_bytes": "5000"}, ["trees/oak.jpg"]),
        ({"min_bytes": "2000000", "prefix": "s"}, ["sea/shore.jpg", "sea/waves.jpg"]),
        ({"format": "JPEG", "max_bytes": "101", "since": "2026-03"}, ["été.jpg", "trees/oak.jpg"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 200])
def test_filters_and_orders_show_what_was_asked_for_on_pages_of_any_size(api, mixed, parameters, keys, limit):
    assert _keys(_walk(api, limit, **parameters)) == keys


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"sort": "largest"}, "newest, oldest, name"),
        ({"format": "JP EG"}, "format"),
        ({"format": ""}, "format"),
        ({"outcome": "OK"}, "DONE nor FAILED"),
        ({"since": "yesterday"}, "2026-03-01"),
        ({"since": "2026-13"}, "since"),
        ({"since": "0000-01"}, "since"),
        ({"until": "0001-01-01T00:00+01:00"}, "until"),
        ({"until": "2026-03-01T00:00"}, "until"),
        ({"since": "2026-03", "until": "2026-03"}, "nothing between"),
        ({"min_bytes": "-1"}, "min_bytes"),
        ({"max_bytes": "0"}, "max_bytes"),
        ({"min_bytes": "9" * 400}, "min_bytes"),
        ({"min_bytes": "10", "max_bytes": "10"}, "nothing between"),
        ({"prefix": "x" * 1025}, "1025 bytes"),
        ({"prefix": "界" * 342}, "1026 bytes"),
        ({"prefix": "\ud800"}, "surrogate"),
        ({"fromat": "JPEG"}, "format"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(api, parameters, reason):
    answer = api.call(**parameters)

    assert answer["statusCode"] == 400
    assert reason in json.loads(answer["body"])["detail"]


def test_a_cursor_of_another_question_is_refused(api, mixed):
    cursor = api.get(limit="1")["cursor"]

    assert api.call(limit="1", cursor=cursor, sort="name")["statusCode"] == 400
    assert api.call(limit="1", cursor=cursor, format="JPEG")["statusCode"] == 400
    assert api.call(limit="2", cursor=cursor)["statusCode"] == 200


@pytest.mark.parametrize(
    "parameters", [{"format": "PNG"}, {"prefix": "none"}, {"prefix": "album/05", "sort": "newest"}]
)
def test_filters_read_one_page_of_each_shard_and_lead_on(api, dynamodb, parameters):
    _fill(dynamodb, 120)
    evaluated: list[int] = []
    api.after_query(lambda parsed, **_: evaluated.append(parsed["ScannedCount"]))

    body = api.get(limit="5", **parameters)

    assert len(evaluated) == 4 and sum(evaluated) <= 4 * 6
    assert body["cursor"] or parameters == {"prefix": "none"}


@pytest.mark.parametrize("key", ["a.jpg", "é + 1.jpg", "a b%20c&d=e?#.png", "<script>.jpg", "x" * 1024, "line\nend"])
def test_one_image_is_found_by_its_key(api, records, key):
    records.put(_done(key, 5), replacing=None)

    image = api.get("/image", key=key)

    assert image["ImageID"] == key and set(image) <= set(PUBLIC_FIELDS)


def test_an_image_that_is_not_there_is_a_404_that_names_it(api, dynamodb):
    dynamodb.put_item(TableName=TABLE, Item={"ImageID": {"S": "mine"}, "Note": {"S": "only a note"}})

    for key in ("none.jpg", "mine"):
        answer = api.call({**_event("images"), "rawPath": "/image", "queryStringParameters": {"key": key}})
        assert answer["statusCode"] == 404 and key in json.loads(answer["body"])["detail"]


@pytest.mark.parametrize(
    "parameters", [{}, {"key": ""}, {"key": "x" * 1025}, {"key": "\udfff"}, {"key": "a", "k": "b"}]
)
def test_a_key_that_no_image_can_have_is_refused(api, parameters):
    answer = api.call({**_event("images"), "rawPath": "/image", "queryStringParameters": parameters})

    assert answer["statusCode"] == 400


def test_totals_begin_at_nothing(api):
    assert api.get("/stats") == {
        "images": 0,
        "problems": 0,
        "original_bytes": 0,
        "compressed_bytes": 0,
        "saved_bytes": 0,
        "formats": {},
        "months": {},
        "price_per_gb_month": 0.023,
        "saved_per_month": 0.0,
    }


def test_what_the_stream_counted_is_shown(api, dynamodb):
    item = {**to_item(_done("a.jpg", 1)), "OriginalBytes": Decimal(10**12), "CompressedBytes": Decimal(4000)}
    Stats(dynamodb, STATS_TABLE).count([Change("1", None, item)])

    shown = api.get("/stats")

    assert (shown["images"], shown["formats"], shown["months"]) == (1, {"JPEG": 1}, {"2026-03": 1})
    assert shown["saved_bytes"] == 10**12 - 4000
    assert shown["saved_per_month"] == 23


def test_an_answer_that_the_client_has_already_is_not_sent_again(api, dynamodb):
    _fill(dynamodb, 3)
    first = api.call()
    again = _event("images")
    again["headers"]["if-none-match"] = f'"other", {first["headers"]["ETag"]}'

    unchanged = api.call(again)
    _fill(dynamodb, 4)
    changed = api.call(again)

    assert (unchanged["statusCode"], unchanged["body"] or "") == (304, "")
    assert unchanged["headers"]["ETag"] == first["headers"]["ETag"]
    assert changed["statusCode"] == 200 and changed["headers"]["ETag"] != first["headers"]["ETag"]


def test_long_answers_are_compressed_for_those_who_can_read_that(api, dynamodb):
    _fill(dynamodb, 50)
    plain = _event("images")
    del plain["headers"]["accept-encoding"]

    compressed = api.module.lambda_handler(_event("images"), Context())
    plain = api.module.lambda_handler(plain, Context())

    assert compressed["headers"]["Content-Encoding"] == "gzip" and "Accept-Encoding" in compressed["headers"]["Vary"]
    assert len(compressed["body"]) < len(plain["body"]) / 5
    assert gzip.decompress(base64.b64decode(compressed["body"])).decode() == plain["body"]


def test_the_api_describes_itself(api):
    assert set(api.get("/openapi.json")["paths"]) == api.module.PATHS


def test_an_instance_that_wakes_up_from_a_snapshot_makes_its_client_anew(dynamodb, records, monkeypatch):
    hooks: list[Any] = []
    runtime = ModuleType("snapshot_restore_py")
    runtime.register_after_restore = hooks.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    api = Api()
    before = api.module.dynamodb

    for hook in hooks:
        hook()

    assert api.module.dynamodb is not before
    _fill(dynamodb, 3)
    assert len(api.get()["images"]) == 3
