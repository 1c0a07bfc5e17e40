"""The gallery API against its own description, by thousands of questions that nobody thought of."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from moto import mock_aws
from schemathesis.specs.openapi.checks import positive_data_acceptance
from werkzeug.wrappers import Request, Response

from setup_scripts.create_dynamodb_table import schema
from setup_scripts.create_stats_table import schema as stats_schema
from tests.functional.gallery_on_moto import SETTINGS, STATS_TABLE, TABLE, GalleryContext, event_named, fill

ROOT = Path(__file__).parent.parent.parent
DESCRIPTION = json.loads((ROOT / "lambda_function" / "openapi.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environ, mock_aws():
        environ.delenv("AWS_ENDPOINT_URL")
        for name, value in SETTINGS.to_environment().items():
            environ.setenv(name, value)
        client = boto3.client("dynamodb")
        client.create_table(TableName=TABLE, **schema())
        client.create_table(TableName=STATS_TABLE, **stats_schema())
        fill(client, 30)
        sys.modules.pop("lambda_function.gallery_api", None)
        importlib.import_module("lambda_function.gallery_api")
        yield
        sys.modules.pop("lambda_function.gallery_api", None)


@Request.application
def app(request: Request) -> Response:
    """A function URL, as far as an HTTP client sees it."""
    event: Any = event_named("images")
    event["rawPath"] = event["requestContext"]["http"]["path"] = request.path
    event["requestContext"]["http"]["method"] = request.method
    event["headers"] = {name.lower(): value for name, value in request.headers.items() if name != "Accept-Encoding"}
    # Values of a name that comes several times are joined, as Lambda does it.
    event["queryStringParameters"] = {name: ",".join(values) for name, values in request.args.lists()}
    answer = sys.modules["lambda_function.gallery_api"].lambda_handler(event, GalleryContext())
    return Response(answer["body"], answer["statusCode"], answer["headers"])


api = schemathesis.openapi.from_dict(DESCRIPTION)
api.app = app


@api.parametrize()
@settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_one_that_the_description_allows(case):
    # That a cursor comes from the page before, and that ranges are not empty, no schema can say.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


def test_the_description_is_fresh():
    ended = subprocess.run(
        [sys.executable, "docs/describe_api.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
