"""Event source mappings: what makes a queue or a stream trigger a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setup_scripts.context import Context
from setup_scripts.lambda_functions import is_anothers
from setup_scripts.lookup import look, says

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef

_ABSENT = "ResourceNotFoundException"
#: What AWS says while a role's policy, written seconds ago, is not known everywhere yet.
_NO_RIGHT_YET = ("does not have permissions", "execution role", "Cannot access stream")


def ensure_trigger(context: Context, function: str, source_arn: str, wanted: dict[str, Any], **at_first: Any) -> str:
    """Let the source trigger `function` as `wanted` says, also where somebody switched that off; returns the UUID.

    `at_first` counts on making only.
    """
    present = next((m for m in _mappings(context, function) if m["EventSourceArn"] == source_arn), None)
    if present and present["State"] == "Deleting":
        _wait_until_gone(context, function, present["UUID"])
        present = None
    if present is None:
        return _create(context, function, source_arn, {**wanted, **at_first})
    uuid = present["UUID"]
    is_off = present["State"] in ("Disabled", "Disabling")
    if is_off or any(present.get(name) != value for name, value in wanted.items()):
        context.settled(
            lambda: context.aws.functions.update_event_source_mapping(
                UUID=uuid, FunctionName=function, Enabled=True, **wanted
            ),
            not_yet=_is_in_use,
        )
        context.say(f"updated: trigger of {function}")
    _wait_until_enabled(context, function, uuid)
    return uuid


def delete_triggers(context: Context, function: str, ours: str) -> None:
    """Delete the triggers whose source has `ours` in its ARN. Those of a person, or of another's function, stay."""
    if is_anothers(context, function):
        return
    for mapping in _mappings(context, function):
        if ours not in mapping["EventSourceArn"]:
            continue
        if mapping["State"] != "Deleting":
            _delete(context, mapping["UUID"])
        _wait_until_gone(context, function, mapping["UUID"])
        context.say(f"deleted: trigger of {function}")


def _create(context: Context, function: str, source_arn: str, wanted: dict[str, Any]) -> str:
    made = context.settled(
        lambda: context.aws.functions.create_event_source_mapping(
            EventSourceArn=source_arn, FunctionName=function, Enabled=True, Tags=context.tags, **wanted
        ),
        not_yet=lambda error: says(error, *_NO_RIGHT_YET),
    )
    uuid = str(made["UUID"])
    _wait_until_enabled(context, function, uuid)
    context.say(f"created: trigger of {function}")
    return uuid


def _delete(context: Context, uuid: str) -> None:
    functions = context.aws.functions
    context.settled(lambda: look(lambda: functions.delete_event_source_mapping(UUID=uuid), _ABSENT), not_yet=_is_in_use)


def _is_in_use(error: Exception) -> bool:
    """A mapping takes no change while it is on the way to its last one."""
    return says(error, "ResourceInUseException")


def _wait_until_enabled(context: Context, function: str, uuid: str) -> None:
    context.until(
        lambda: context.aws.functions.get_event_source_mapping(UUID=uuid)["State"] == "Enabled",
        what=f"the trigger of {function} is not enabled",
    )


def _wait_until_gone(context: Context, function: str, uuid: str) -> None:
    def is_gone() -> bool:
        return all(mapping["UUID"] != uuid for mapping in _mappings(context, function))

    context.until(is_gone, what=f"deleting the trigger of {function}")


def _mappings(context: Context, function: str) -> list[EventSourceMappingConfigurationTypeDef]:
    answer = look(lambda: context.aws.functions.list_event_source_mappings(FunctionName=function), _ABSENT)
    return answer["EventSourceMappings"] if answer else []
