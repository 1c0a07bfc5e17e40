"""`python query.py "PARTIQL"`: one statement, all pages of its answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.connection import connect
from cli.exits import CommandError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: Shown first, where an item has them; other attributes follow by name.
_FIRST = ("ImageID", "Outcome", "ErrorCode", "SavedPercent", "OriginalBytes", "CompressedBytes", "Note")
_EXAMPLES = (
    """python query.py "SELECT * FROM ImageMetadata WHERE ImageID = 'statue_small.jpg'\"""",
    """python query.py 'SELECT ImageID, SavedPercent FROM "ImageMetadata"' --json""",
    """python query.py "UPDATE ImageMetadata SET Note = 'Reprocessed' WHERE ImageID = 'statue_small.jpg'\"""",
)
#: More columns than these are no longer legible beside each other.
_MOST_COLUMNS = 7
_READING = ("select", "exists")


def main(argv: Sequence[str] | None = None, *, start: Callable[[], None] | None = None) -> int:
    """Run the statement and print what it gives; returns the exit code."""
    parser = command_parser("Runs one PartiQL statement on the table of records.", *_EXAMPLES, prog="query.py")
    parser.add_argument("statement", metavar="PARTIQL", help="SELECT, INSERT, UPDATE or DELETE; one statement")
    arguments = parser.parse_args(argv)
    if not _bare(arguments.statement):
        parser.error("PARTIQL is empty: write one statement")

    def run() -> int:
        with connect(Choice.from_arguments(arguments), start=start) as connection:
            items = execute(connection.aws.dynamodb, arguments.statement)
            _print(items, _is_reading(arguments.statement), as_json=arguments.json)
        return exits.Exit.DONE

    return exits.run(run)


def execute(dynamodb: DynamoDBClient, statement: str) -> Iterator[dict[str, Any]]:
    """The items of all pages, as plain values; CommandError where the statement is wrong or matches no item."""
    from botocore.exceptions import ClientError

    from pipeline.table.records import decode_item

    request: dict[str, Any] = {"Statement": _bare(statement)}
    while True:
        try:
            answer = dynamodb.execute_statement(**request)
        except ClientError as error:
            raise _explained(error) or error from error
        yield from (plain(decode_item(item)) for item in answer.get("Items", []))
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def _bare(statement: str) -> str:
    return statement.strip().rstrip(";").strip()


def _explained(error: Any) -> CommandError | None:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code == "ConditionalCheckFailedException":
        return CommandError("no item has this key: nothing was changed", exits.Exit.SOME_FAILED)
    if code == "DuplicateItemException":
        return CommandError("an item with this key is there already: nothing was changed", exits.Exit.SOME_FAILED)
    if code in ("ValidationException", "ResourceNotFoundException"):
        return CommandError(
            f"{(message or code).rstrip('.')}. Mind the quotes: \"Table\" in double, 'text' in single ones"
        )
    return None


def plain(value: Any) -> Any:
    """A DynamoDB value as JSON has them: Decimal as int or float, bytes as base64, sets as sorted lists."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(inner) for inner in value), key=str)
    if isinstance(value, (bytes, bytearray)) or hasattr(value, "value"):
        return base64.b64encode(bytes(getattr(value, "value", value))).decode()
    return value


def _is_reading(statement: str) -> bool:
    return statement.strip().lower().startswith(_READING)


def _print(items: Iterable[dict[str, Any]], is_reading: bool, *, as_json: bool) -> None:
    if as_json:
        for item in items:
            console.json_line(item)
        return
    found = list(items)
    _draw(found)
    console.say(f"{len(found)} item{'' if len(found) == 1 else 's'}" if is_reading else "Done")


def _draw(items: Sequence[Mapping[str, Any]]) -> None:
    """One table; where items have more attributes than fit beside each other, one table for each item."""
    columns = _columns(items)
    if len(columns) <= _MOST_COLUMNS:
        if items:
            console.table(columns, [[_cell(item.get(column)) for column in columns] for item in items])
        return
    for item in items:
        console.table(("Attribute", "Value"), [(column, _cell(item[column])) for column in columns if column in item])


def _columns(items: Sequence[Mapping[str, Any]]) -> list[str]:
    names = {name for item in items for name in item}
    first = [name for name in _FIRST if name in names]
    return first + sorted(names.difference(first))


def _cell(value: object) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
