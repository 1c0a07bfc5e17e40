"""Tables of DynamoDB: made, tagged and deleted; what they hold is for the steps to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setup_scripts.context import Context
from setup_scripts.lookup import look, tag_list
from setup_scripts.ownership import is_ours, leave, refuse

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

_ABSENT = "ResourceNotFoundException"


def ensure_table(context: Context, table_name: str, schema: dict[str, Any]) -> TableDescriptionTypeDef:
    """The table, active and tagged, made by `schema` where it is not there; CommandError where it is another's."""
    table = _settled_table(context, table_name)
    if table is None:
        context.aws.dynamodb.create_table(TableName=table_name, Tags=_tags(context), **schema)
        context.say(f"created: table {table_name}")
        table = wait_until_active(context, table_name)
    elif not _is_ours(context, table):
        raise refuse("table", table_name)
    _tag(context, table["TableArn"])
    return table


def delete_table(context: Context, table_name: str) -> None:
    table = _settled_table(context, table_name)
    if table and not _is_ours(context, table):
        leave(context, "table", table_name)
    elif table:
        look(lambda: context.aws.dynamodb.delete_table(TableName=table_name), _ABSENT)
        _wait_until_gone(context, table_name)
        context.say(f"deleted: table {table_name}")


def wait_until_active(context: Context, table_name: str) -> TableDescriptionTypeDef:
    def active() -> TableDescriptionTypeDef | None:
        table = _describe(context, table_name)
        return table if table and table["TableStatus"] == "ACTIVE" else None

    table: TableDescriptionTypeDef = context.until(active, what=f"table {table_name} is not ready")
    return table


def _settled_table(context: Context, table_name: str) -> TableDescriptionTypeDef | None:
    """The table, ready for changes, or None. A setup or teardown that died may have left it on the way."""
    table = _describe(context, table_name)
    if table and table["TableStatus"] == "DELETING":
        _wait_until_gone(context, table_name)
        return None
    return wait_until_active(context, table_name) if table and table["TableStatus"] != "ACTIVE" else table


def _describe(context: Context, table_name: str) -> TableDescriptionTypeDef | None:
    answer = look(lambda: context.aws.dynamodb.describe_table(TableName=table_name), _ABSENT)
    return answer["Table"] if answer else None


def _wait_until_gone(context: Context, table_name: str) -> None:
    context.until(lambda: _describe(context, table_name) is None, what=f"deleting table {table_name}")


def _is_ours(context: Context, table: TableDescriptionTypeDef) -> bool:
    return is_ours(context, table["TableName"], _tags_of(context, table["TableArn"]))


def _tag(context: Context, arn: str) -> None:
    if not context.tags.items() <= _tags_of(context, arn).items():
        context.aws.dynamodb.tag_resource(ResourceArn=arn, Tags=_tags(context))


def _tags_of(context: Context, arn: str) -> dict[str, str]:
    found = context.aws.dynamodb.list_tags_of_resource(ResourceArn=arn).get("Tags", [])
    return {tag["Key"]: tag["Value"] for tag in found}


def _tags(context: Context) -> Any:
    return tag_list(context.tags)
