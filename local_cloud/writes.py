"""Which requests may have changed something, so that a snapshot is due. In doubt they have."""

from __future__ import annotations

import re
from collections.abc import Callable

from local_cloud.guard import READING, App, Receive, Scope, Send, names_an_action

#: Operations of the JSON protocols that only read; without them every look at a table or a queue would save it all.
#: A received message that is received again after a crash is what SQS promises anyway.
READING_OPERATIONS = ("BatchGet", "Describe", "Filter", "Get", "List", "Query", "ReceiveMessage", "Scan", "TransactGet")
#: Without an id the emulator takes the request for one of any other service.
_FUNCTION_URL = re.compile(r"/_aws/lambda-url/[^/]")


def noting_writes(app: App, changed: Callable[[], None]) -> App:
    """`app`, calling `changed` after each request that may have changed something."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            if may_write(scope):
                changed()

    return noting


def may_write(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    if scope["method"] in READING:
        return names_an_action(scope)
    if is_function_url(scope["path"]):
        return False  # what the function writes comes as requests of its own
    return not _operation(scope).startswith(READING_OPERATIONS)


def is_function_url(path: str) -> bool:
    """Whether a request to `path` is a function's to answer."""
    return _FUNCTION_URL.match(path) is not None


def _operation(scope: Scope) -> str:
    """`GetItem` of the header `X-Amz-Target: DynamoDB_20120810.GetItem`; empty without one."""
    for name, value in scope["headers"]:
        if name.lower() == b"x-amz-target":
            return str(value.decode("latin-1").rpartition(".")[2])
    return ""
