"""DynamoDB streams across a restart.

MiniStack keeps how far each mapping has read a stream, but not the stream: after a restart the records that nobody had
read would be lost, and a mapping at position 500 would sit through the next 500 writes. So the unread records are
saved beside it, with the position of the first.
"""

from __future__ import annotations

from typing import Any

Scope = tuple[str, str, str]


def unread(dynamodb: Any, lambda_svc: Any) -> dict[str, Any]:
    """For each table, the records that some mapping has yet to read, and how many came before them."""
    positions = _slowest_positions(lambda_svc)
    streams = []
    for scope, records in list(dynamodb._stream_records._data.items()):
        dropped = dynamodb._stream_trimmed._data.get(scope, 0)
        end = dropped + len(records)
        first = min(max(positions.get(scope, end), dropped), end)
        streams.append({"scope": list(scope), "before": first, "records": records[first - dropped :]})
    return {"streams": streams}


def restore(dynamodb: Any, saved: dict[str, Any] | None) -> None:
    """Put the unread records back at the positions that they had."""
    for stream in saved["streams"] if saved else ():
        account, region, table = stream["scope"]
        dynamodb._stream_trimmed.set_scoped(account, region, table, stream["before"])
        dynamodb._stream_records.set_scoped(account, region, table, stream["records"])


def _slowest_positions(lambda_svc: Any) -> dict[Scope, int]:
    slowest: dict[Scope, int] = {}
    for (account, region, mapping_id), position in list(lambda_svc._dynamodb_stream_positions._data.items()):
        mapping = lambda_svc._esms._data.get((account, region, mapping_id))
        if mapping is None:
            continue
        scope = (account, region, _table(mapping["EventSourceArn"]))
        slowest[scope] = min(position, slowest.get(scope, position))
    return slowest


def _table(stream_arn: str) -> str:
    return stream_arn.split(":table/", 1)[-1].split("/stream/", 1)[0]
