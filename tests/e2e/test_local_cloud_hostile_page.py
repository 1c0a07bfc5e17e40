"""What an open web page sends, against the real server: byte by byte, as a browser would and no client library does."""

from __future__ import annotations

import http.client
import io
import json
import zipfile
from base64 import b64encode
from uuid import uuid4

import pytest

from cli.local import HOST
from tests.local_cloud_fixture import LocalCloud

pytestmark = pytest.mark.local_cloud

EVIL = "https://evil.example"


def send(cloud: LocalCloud, method: str, path: str, headers: dict[str, str], body: bytes = b""):
    """Status, headers and body of the answer; `headers` may replace Host."""
    connection = http.client.HTTPConnection(HOST, cloud.port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


def function_that_would_run_on_this_machine(name: str) -> bytes:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("evil.py", "def handler(event, context): ...")
    role = "arn:aws:iam::000000000000:role/any"
    wanted = {"FunctionName": name, "Runtime": "python3.13", "Role": role, "Handler": "evil.handler"}
    return json.dumps({**wanted, "Code": {"ZipFile": b64encode(code.getvalue()).decode()}}).encode()


def functions(cloud: LocalCloud) -> set[str]:
    return {function["FunctionName"] for function in cloud.client("lambda").list_functions()["Functions"]}


def test_without_the_guard_the_attack_works_so_what_follows_proves_something(local_cloud):
    """The same bytes from a program of this machine: no signature is needed."""
    body = function_that_would_run_on_this_machine("from-a-program")

    status, _, _ = send(local_cloud, "POST", "/2015-03-31/functions", {"Content-Type": "text/plain"}, body)

    assert status == 201
    assert "from-a-program" in functions(local_cloud)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_cannot_create_a_function_by_a_post_that_asks_no_permission(local_cloud, headers):
    body = function_that_would_run_on_this_machine("from-a-page")

    status, _, reason = send(
        local_cloud, "POST", "/2015-03-31/functions", {**headers, "Content-Type": "text/plain"}, body
    )

    assert status == 403
    assert b"local cloud" in reason
    assert "from-a-page" not in functions(local_cloud)


def test_a_name_of_the_attacker_that_leads_here_is_refused(local_cloud):
    """DNS rebinding: for the browser it is one and the same site, so that no other header gives it away."""
    host = f"rebound.evil.example:{local_cloud.port}"

    status, _, _ = send(local_cloud, "GET", "/", {"Host": host, "Sec-Fetch-Site": "same-origin"})

    assert status == 403


@pytest.mark.parametrize("path", ["/", "/2015-03-31/functions", "/some-bucket/key", "/_aws/lambda-url/abc/images"])
def test_a_preflight_from_elsewhere_is_refused_and_allows_nothing(local_cloud, path):
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-amz-target"}

    status, headers, _ = send(local_cloud, "OPTIONS", path, asked)

    assert status == 403
    assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_the_emulators_own_switches_are_out_of_reach_too(local_cloud):
    status, _, _ = send(local_cloud, "POST", "/_ministack/reset", {"Origin": EVIL})

    assert status == 403


def test_an_html_file_among_the_pictures_cannot_write_when_it_is_opened(local_cloud):
    ours = {"Origin": local_cloud.endpoint_url, "Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"}
    body = function_that_would_run_on_this_machine("from-a-picture")

    status, _, _ = send(local_cloud, "POST", "/2015-03-31/functions", ours, body)

    assert status == 403
    assert "from-a-picture" not in functions(local_cloud)


@pytest.mark.parametrize("path", ["/", "/_aws/lambda-url/", "/_aws/lambda-url//"])
def test_an_html_file_among_the_pictures_cannot_delete_a_table_by_whatever_path(local_cloud, path):
    dynamodb = local_cloud.client("dynamodb")
    name = f"table-{uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "ImageID", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "ImageID", "KeyType": "HASH"}],
    )
    ours = {"Origin": local_cloud.endpoint_url, "Sec-Fetch-Site": "same-origin"}
    target = {"X-Amz-Target": "DynamoDB_20120810.DeleteTable", "Content-Type": "application/x-amz-json-1.0"}

    status, _, _ = send(local_cloud, "POST", path, {**ours, **target}, json.dumps({"TableName": name}).encode())

    assert status == 403
    assert name in dynamodb.list_tables()["TableNames"]


def test_a_person_who_types_the_address_gets_the_page_with_no_leave_for_others_to_read_it(local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="typed")
    s3.put_object(Bucket="typed", Key="index.html", Body=b"<p>gallery", ContentType="text/html; charset=utf-8")
    typed = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    status, headers, body = send(local_cloud, "GET", "/typed/index.html", typed)

    assert (status, body) == (200, b"<p>gallery")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_a_websocket_from_elsewhere_is_refused(local_cloud):
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}

    status, _, _ = send(
        local_cloud, "GET", "/", {**handshake, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": EVIL}
    )

    assert status == 403
