"""The gallery's function behind the alias `live`, for SnapStart: AWS makes snapshots of published versions only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.exits import CommandError, Exit
from setup_scripts.context import Context
from setup_scripts.lookup import look

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

LIVE = "live"
_GONE = "ResourceNotFoundException"
_LATEST = "$LATEST"
#: What makes a version another one; all else of a configuration is of the version itself.
_TELLING = (
    "CodeSha256",
    "Description",
    "Runtime",
    "Role",
    "Handler",
    "Timeout",
    "MemorySize",
    "Environment",
    "Architectures",
)
#: Seconds: AWS starts the version, waits until it is ready and stores what it has in memory.
_DEADLINE = 600.0


def ensure_live(context: Context, function_name: str) -> None:
    """Let `live` name a version that is as the function is now; the versions before it go."""
    latest = context.aws.functions.get_function_configuration(FunctionName=function_name)
    live = _configuration(context, function_name, LIVE)
    if live is None or any(live.get(name) != latest.get(name) for name in _TELLING):
        version = _publish(context, function_name)
        _name_live(context, function_name, version, is_new=live is None)
        context.say(f"published: version {version} of {function_name} (on AWS its snapshot costs some $2 a month)")
    _delete_versions(context, function_name, but=live_version(context, function_name))


def withdraw_live(context: Context, function_name: str) -> None:
    """Delete the alias and all versions."""
    context.aws.functions.delete_alias(FunctionName=function_name, Name=LIVE)
    _delete_versions(context, function_name, but=None)
    context.say(f"deleted: alias {LIVE} of {function_name}")


def live_version(context: Context, function_name: str) -> str | None:
    """The version that the alias names; None without SnapStart."""
    alias = look(lambda: context.aws.functions.get_alias(FunctionName=function_name, Name=LIVE), _GONE)
    return alias["FunctionVersion"] if alias else None


def _publish(context: Context, function_name: str) -> str:
    """A version of the function as it is, with its snapshot taken."""
    version = context.aws.functions.publish_version(FunctionName=function_name)["Version"]

    def ready() -> bool:
        present = _configuration(context, function_name, version)
        state = present.get("State", "Active") if present else "Pending"
        if present and state == "Failed":
            reason = present.get("StateReason", "no reason given")
            raise CommandError(f"no snapshot of {function_name} could be made: {reason}", Exit.REFUSED)
        return state == "Active"

    context.until(ready, what=f"version {version} of {function_name} is not ready", deadline=_DEADLINE)
    return version


def _name_live(context: Context, function_name: str, version: str, *, is_new: bool) -> None:
    functions = context.aws.functions
    name = functions.create_alias if is_new else functions.update_alias
    name(FunctionName=function_name, Name=LIVE, FunctionVersion=version)


def _delete_versions(context: Context, function_name: str, *, but: str | None) -> None:
    functions = context.aws.functions
    pages: Any = functions.get_paginator("list_versions_by_function").paginate(FunctionName=function_name)
    versions = [entry["Version"] for page in pages for entry in page["Versions"]]
    for version in versions:
        if version not in (_LATEST, but):
            functions.delete_function(FunctionName=function_name, Qualifier=version)


def _configuration(context: Context, function_name: str, qualifier: str) -> FunctionConfigurationResponseTypeDef | None:
    functions = context.aws.functions
    return look(lambda: functions.get_function_configuration(FunctionName=function_name, Qualifier=qualifier), _GONE)
