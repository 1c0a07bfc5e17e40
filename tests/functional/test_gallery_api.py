"""The gallery API as an HTTP service: refusals, faults, other sites, caches, its log and its description."""

from __future__ import annotations

import base64
import gzip
import json
import sys
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.version import release
from tests.functional.gallery_on_moto import Api, GalleryContext, event_named, fill


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
    answer = api.call(event_named("images_cross_origin") | {"rawPath": "/nothing"})

    assert answer["statusCode"] == 404
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_is_allowed_to_get_only(api):
    answer = api.call("preflight")

    assert answer["statusCode"] == 204
    assert "DELETE" not in answer["headers"]["Access-Control-Allow-Methods"]
    assert "GET" in answer["headers"]["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(("asked", "told"), [("7", "7"), ("9" * 400, "900")])
def test_a_throttled_table_is_a_503_that_says_when_to_come_back(api, asked, told):
    def throttle(**_: Any) -> None:
        response: Any = {
            "Error": {"Code": "ProvisionedThroughputExceededException"},
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {"retry-after": asked}},
        }
        raise ClientError(response, "Query")

    api.before_query(throttle)
    answer = api.call()

    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == told
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


def test_each_call_is_one_line_in_the_log(api, dynamodb):
    fill(dynamodb, 3)

    api.get(limit="2")
    api.call(limit="0")
    api.call(event_named("images") | {"rawPath": "/" + "\n\x1b[31m" * 100})

    good, bad, odd = api.lines
    assert {line["version"] for line in api.lines} == {release()}
    assert (good["path"], good["status"], good["images"]) == ("/images", 200, 2)
    assert good["function_request_id"] == GalleryContext().aws_request_id
    assert good["ms"] >= 0
    assert bad["status"] == 400 and "images" not in bad
    assert odd["status"] == 404 and len(odd["path"]) <= 80


def test_an_answer_that_the_client_has_already_is_not_sent_again(api, dynamodb):
    fill(dynamodb, 3)
    first = api.call()
    again = event_named("images")
    again["headers"]["if-none-match"] = f'"other", {first["headers"]["ETag"]}'

    unchanged = api.call(again)
    fill(dynamodb, 4)
    changed = api.call(again)

    assert (unchanged["statusCode"], unchanged["body"] or "") == (304, "")
    assert unchanged["headers"]["ETag"] == first["headers"]["ETag"]
    assert changed["statusCode"] == 200 and changed["headers"]["ETag"] != first["headers"]["ETag"]


def test_long_answers_are_compressed_for_those_who_can_read_that(api, dynamodb):
    fill(dynamodb, 50)
    plain = event_named("images")
    del plain["headers"]["accept-encoding"]

    compressed = api.module.lambda_handler(event_named("images"), GalleryContext())
    plain = api.module.lambda_handler(plain, GalleryContext())

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
    fill(dynamodb, 3)
    assert len(api.get()["images"]) == 3
