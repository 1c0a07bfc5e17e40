"""`python status.py --logs KEY`: what the function logged about one image."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from cli import console, names
from cli.connection import Connection
from cli.log_lines import log_lines


def print_logs(connection: Connection, key: str, *, as_json: bool) -> None:
    """A row for each line, or with `as_json` the lines as they were logged."""
    found = _found(connection, key)
    if as_json:
        for line in found:
            console.json_line(line)
    elif found:
        console.table(
            ("When (UTC)", "Outcome", "ms", "Bytes", "Code", "Reason", "Message", "Version"), map(_row, found)
        )
    lines = f"{len(found)} line{'s' * (len(found) != 1)}"
    told = f"{lines} about {key!r}" if found else f"nothing was logged about {key!r}"
    console.say(f"{told}; logs are kept for 14 days, and on AWS a new line needs some seconds to be found")


def _found(connection: Connection, key: str) -> list[dict[str, Any]]:
    group = names.log_group(connection.resources.require("lambda-function", "setup.py"))
    try:
        return log_lines(connection.aws.logs, group, key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise


def _row(line: dict[str, Any]) -> tuple[object, ...]:
    told = line.get("outcome") or line.get("message", "")
    rest = (line.get(name, "") for name in ("ms", "bytes", "code", "reason", "message_id", "version"))
    return line.get("timestamp", "")[:19], told, *rest
