"""DynamoDB streams across a restart, and as large as they are.

MiniStack keeps how far each mapping has read a stream, but not the stream: after a restart the records that nobody had
read would be lost, and a mapping at position 500 would sit through the next 500 writes. So the unread records are
saved beside it, with the position of the first. While it runs it keeps all of a day, as AWS does, though in memory:
20,000 images that were made again took 240 MB.
"""

from __future__ import annotations

from typing import Any

Scope = tuple[str, str, str]

#: Records that everybody has read are let go of when there are so many of them in a stream.
MOST_READ = 1_000


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


def forget(dynamodb: Any, lambda_svc: Any, most: int = MOST_READ) -> None:
    """Let records go that every mapping has read, where a stream holds `most` of them, and no fewer than unread ones.

    Whoever takes a batch in another thread at this moment counts from the old beginning. Thus he looks behind the end,
    finds nothing and comes again; were there more unread records than go, he would pass some over.
    """
    for scope, position in _slowest_positions(lambda_svc).items():
        records = dynamodb._stream_records._data.get(scope, [])
        dropped = dynamodb._stream_trimmed._data.get(scope, 0)
        read = min(position - dropped, len(records))
        if read >= max(most, len(records) - read):
            del records[:read]
            dynamodb._stream_trimmed.set_scoped(*scope, dropped + read)


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
