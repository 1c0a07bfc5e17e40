"""The benchmark of the whole way: what it reads from requests, on a cloud of a few lines."""

import asyncio
import json
from typing import Any

import pytest

from benchmarks.costs import per_million
from benchmarks.metering import Request, metered
from benchmarks.whole_way import figures
from benchmarks.whole_way.cells import PHASES, cell
from benchmarks.whole_way.load import Seen

KEY = "measured/a b.jpg"


def request(at: float, call: str, *, key: str = KEY, by: str = "function", seconds: float = 0.01) -> Request:
    return Request(at, seconds, call, key, by)


@pytest.fixture
def requests():
    """One image on its way, each request 10 ms long."""
    return [
        request(0.00, "PutObject", by="benchmark"),
        request(0.10, "DynamoDB GetItem"),
        request(0.12, "GetObject"),
        request(0.33, "PutObject output"),
        request(0.35, "PutObject output"),
        request(0.40, "DynamoDB UpdateItem"),
        request(0.42, "HeadObject"),
        request(0.50, "DynamoDB TransactWriteItems", key=""),
        request(0.55, "GetObject", key="another"),
        request(0.55, "function URL", key="", by="gallery"),
    ]


def made(requests):
    return cell("48 kB", 1, [b"12345"], [Seen(KEY, 0.0, 0.6)], requests, {"processing": 0.032, "local cloud": 0.02})


def test_the_phases_of_an_image_follow_each_other_and_leave_nothing_out(requests):
    phases = made(requests).phases

    expected = {
        "upload": 10,
        "queue": 90,
        "look and fetch": 30,
        "transform": 200,
        "put outputs": 30,
        "record": 50,
        "gallery": 190,
    }
    assert phases == pytest.approx(expected)
    assert tuple(phases) == PHASES
    assert sum(phases.values()) == pytest.approx(made(requests).p50_ms)


def test_calls_are_those_of_the_functions_about_the_images_that_were_measured(requests):
    assert made(requests).calls == {
        "DynamoDB GetItem": 1,
        "DynamoDB TransactWriteItems": 1,
        "DynamoDB UpdateItem": 1,
        "GetObject": 1,
        "HeadObject": 1,
        "PutObject output": 2,
    }


def test_the_emulator_answers_for_the_sum_of_the_requests_about_an_image(requests):
    assert made(requests).emulator_ms == pytest.approx(70)


def test_the_model_gets_the_times_of_the_function_and_requests_by_their_price(requests):
    modelled = figures.model([made(requests)], write_units=8)

    assert modelled["times"] == {"48 kB": {"cpu_ms": 32, "variation": 0}}
    assert modelled["requests"] == {"S3 writes": 3, "S3 reads": 2, "DynamoDB writes": 8, "DynamoDB reads": 1}


def test_a_million_images_cost_what_can_be_worked_out_by_hand():
    costs = per_million({"S3 writes": 3, "S3 reads": 2, "SQS": 3, "Lambda": 1}, function_ms=390)

    assert costs["S3 writes"] == 15
    assert costs["S3 reads"] == 0.8
    assert costs["SQS"] == 1.2
    assert costs["Lambda time"] == pytest.approx(390_000 * 1.75 * 0.0000133334, abs=0.01)
    assert costs["DynamoDB writes"] == 0


def scope(method: str, path: str, **headers: str) -> dict[str, Any]:
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "headers": lines}


async def answer(scope, receive, send):
    await receive()
    await send({"type": "http.response.body"})


@pytest.mark.parametrize(
    "asked, body, call, key, by",
    [
        (scope("GET", "/uploads/measured/a%20b.jpg"), b"", "GetObject", KEY, "function"),
        (scope("HEAD", "/uploads/measured/a b.jpg"), b"", "HeadObject", KEY, "function"),
        (scope("PUT", f"/uploads/{KEY}", user_agent="Boto3 benchmark"), b"", "PutObject", KEY, "benchmark"),
        (scope("PUT", f"/outputs/thumbnails/{KEY}/0123.webp"), b"", "PutObject output", KEY, "function"),
        (
            scope("POST", "/", x_amz_target="DynamoDB_20120810.UpdateItem"),
            json.dumps({"TableName": "t", "Key": {"ImageID": {"S": KEY}}}).encode(),
            "DynamoDB UpdateItem",
            KEY,
            "function",
        ),
        (scope("POST", "/", x_amz_target="AmazonSQS.SendMessage"), b"{}", "SQS SendMessage", "", "function"),
        (scope("GET", "/_aws/lambda-url/abc/images"), b"", "function URL", "", "gallery"),
    ],
)
def test_a_request_is_noted_with_its_call_its_image_and_who_asked(asked, body, call, key, by):
    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        pass

    found: list[Request] = []
    asyncio.run(metered(answer, found.append)(asked, receive, send))

    [noted] = found
    assert (noted.call, noted.key, noted.by) == (call, key, by)
    assert 0 <= noted.seconds < 5
