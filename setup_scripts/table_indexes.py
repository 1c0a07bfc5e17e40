"""The indexes of a table that stands already: an older version may have made it with fewer, or with others."""

from __future__ import annotations

from typing import Any

from setup_scripts.context import Context

#: Seconds that DynamoDB may take to fill an index from a large table.
_DEADLINE = 3600.0
_PAUSE = 2.0


def ensure_indexes(context: Context, table_name: str, schema: dict[str, Any]) -> None:
    """Give the table the indexes of `schema`, one after the other, as DynamoDB wants it; its items stay as they are.

    What an index holds cannot be changed: one that holds something else is made anew, and until DynamoDB has filled it
    the gallery cannot list by it.
    """
    for wanted in schema["GlobalSecondaryIndexes"]:
        index_name = wanted["IndexName"]
        present = _index(context, table_name, index_name)
        if present and not _holds_the_same(present, wanted):
            _update(context, table_name, {"Delete": {"IndexName": index_name}})
            _wait_until_gone(context, table_name, index_name)
            context.say(f"deleted: index {index_name} of {table_name}, which is made anew")
            present = None
        if present is None:
            _update(context, table_name, {"Create": wanted}, AttributeDefinitions=schema["AttributeDefinitions"])
            _wait_until_active(context, table_name, index_name)
            context.say(f"created: index {index_name} of {table_name}")
        elif present.get("IndexStatus", "ACTIVE") != "ACTIVE":
            _wait_until_active(context, table_name, index_name)


def _index(context: Context, table_name: str, index_name: str) -> Any:
    table = context.aws.dynamodb.describe_table(TableName=table_name)["Table"]
    found = table.get("GlobalSecondaryIndexes", [])
    return next((index for index in found if index["IndexName"] == index_name), None)


def _holds_the_same(present: Any, wanted: Any) -> bool:
    return (present["KeySchema"], _held(present)) == (wanted["KeySchema"], _held(wanted))


def _held(index: Any) -> tuple[str, list[str]]:
    projection = index["Projection"]
    return projection["ProjectionType"], sorted(projection.get("NonKeyAttributes", []))


def _update(context: Context, table_name: str, change: Any, **definitions: Any) -> None:
    context.aws.dynamodb.update_table(TableName=table_name, GlobalSecondaryIndexUpdates=[change], **definitions)


def _wait_until_gone(context: Context, table_name: str, index_name: str) -> None:
    context.until(
        lambda: _index(context, table_name, index_name) is None,
        what=f"deleting index {index_name} of {table_name}",
        deadline=_DEADLINE,
        pause=_PAUSE,
    )


def _wait_until_active(context: Context, table_name: str, index_name: str) -> None:
    def active() -> bool:
        index = _index(context, table_name, index_name)
        return bool(index and index.get("IndexStatus") == "ACTIVE")

    context.until(
        active, what=f"index {index_name} of {table_name} is not filled yet", deadline=_DEADLINE, pause=_PAUSE
    )
