"""Tables of DynamoDB: made, tagged and deleted; what they hold is for the steps to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setup_scripts.context import Context
from setup_scripts.lookup import look, tag_list

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

_ABSENT = "ResourceNotFoundException"


def ensure_table(context: Context, table_name: str, schema: dict[str, Any]) -> TableDescriptionTypeDef:
    """The table, active and tagged, made by `schema` where it is not there."""
    table = _settled_table(context, table_name)
    if table is None:
        context.aws.dynamodb.create_table(TableName=table_name, Tags=_tags(context), **schema)
        context.say(f"created: table {table_name}")
        table = wait_until_active(context, table_name)
    _tag(context, table["TableArn"])
    return table


def delete_table(context: Context, table_name: str) -> None:
    if _settled_table(context, table_name):
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


def _tag(context: Context, arn: str) -> None:
    dynamodb = context.aws.dynamodb
    present: list[Any] = list(dynamodb.list_tags_of_resource(ResourceArn=arn).get("Tags", []))
    if any(tag not in present for tag in _tags(context)):
        dynamodb.tag_resource(ResourceArn=arn, Tags=_tags(context))


def _tags(context: Context) -> Any:
    return tag_list(context.tags)
