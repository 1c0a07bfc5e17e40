from __future__ import annotations

import pytest

from local_cloud.writes import may_write


def request(method: str, *, path: str = "/", query: bytes = b"", target: bytes | None = None):
    headers = [(b"X-Amz-Target", target)] if target else []
    return {"type": "http", "method": method, "path": path, "query_string": query, "headers": headers}


@pytest.mark.parametrize(
    "scope",
    [
        request("GET", path="/bucket/key"),
        request("HEAD", path="/bucket/key"),
        request("POST", target=b"DynamoDB_20120810.GetItem"),
        request("POST", target=b"DynamoDB_20120810.Query"),
        request("POST", target=b"DynamoDB_20120810.BatchGetItem"),
        request("POST", target=b"AmazonSQS.GetQueueAttributes"),
        request("POST", target=b"AmazonSQS.ReceiveMessage"),
        request("POST", path="/_aws/lambda-url/abc/"),
        {"type": "websocket", "path": "/", "headers": []},
    ],
)
def test_what_only_reads_is_no_reason_for_a_snapshot(scope):
    assert not may_write(scope)


@pytest.mark.parametrize(
    "scope",
    [
        request("PUT", path="/bucket/key"),
        request("DELETE", path="/bucket/key"),
        request("POST", path="/2015-03-31/functions"),
        request("POST"),
        request("POST", path="/_aws/lambda-url/", target=b"DynamoDB_20120810.DeleteTable"),
        request("PUT", path="/_aws/lambda-url//page.html"),
        request("GET", query=b"Action=CreateUser&UserName=somebody"),
        request("POST", target=b"DynamoDB_20120810.UpdateItem"),
        request("POST", target=b"DynamoDB_20120810.ExecuteStatement"),
        request("POST", target=b"DynamoDB_20120810.BatchWriteItem"),
        request("POST", target=b"AmazonSQS.DeleteMessage"),
    ],
)
def test_what_may_have_changed_something_is(scope):
    assert may_write(scope)
