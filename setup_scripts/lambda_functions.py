"""Functions of Lambda: made, tagged, adjusted and deleted; what they are told is for the steps to say."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cli.commit import checked_out_release
from cli.exits import CommandError, Exit
from setup_scripts.context import Context
from setup_scripts.functions import GALLERY, Function
from setup_scripts.lookup import look, says
from setup_scripts.ownership import is_ours, leave, refuse
from setup_scripts.switches import SNAPSTART

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

RUNTIME = "python3.13"
_GONE = "ResourceNotFoundException"
#: What Lambda says for some seconds of a new role: it cannot take it, or cannot let it read the variables.
_TOO_NEW = ("cannot be assumed by Lambda", "KMS key is invalid for CreateGrant")


def ensure_function(
    context: Context, function: Function, environment: dict[str, str], code: bytes, machine: str
) -> None:
    """Make or adjust one function, which runs `code` on `machine`, and keep its name.

    CommandError where another's function has that name.
    """
    function_name = context.suffixed(function.base_name)
    wanted = _wanted(context, function, environment)
    present = configuration(context, function)
    if present is None:
        _create_function(context, function_name, wanted, code, machine)
        context.say(f"created: function {function_name}")
    elif not _is_ours(context, present):
        raise refuse("function", function_name)
    else:
        _update_function(context, function_name, wanted, present, code, machine)
    context.resources[function.key] = function_name


def delete_function(context: Context, function: Function) -> None:
    function_name = context.suffixed(function.base_name)
    present = configuration(context, function)
    if present and not _is_ours(context, present):
        leave(context, "function", function_name)
    elif present:
        look(lambda: context.aws.functions.delete_function(FunctionName=function_name), _GONE)
        context.say(f"deleted: function {function_name}")
    context.resources.pop(function.key, None)


def is_anothers(context: Context, function_name: str) -> bool:
    """Whether a function of this name stands that this deployment did not make."""
    present = _configuration(context, function_name)
    return present is not None and not _is_ours(context, present)


def configuration(context: Context, function: Function) -> FunctionConfigurationResponseTypeDef | None:
    """What stands of the function, if it stands."""
    return _configuration(context, context.suffixed(function.base_name))


def variables(context: Context, function: Function) -> Mapping[str, str]:
    """What the function that stands is told through its environment; nothing where none stands."""
    present = configuration(context, function)
    return present.get("Environment", {}).get("Variables", {}) if present else {}


def _wanted(context: Context, function: Function, environment: dict[str, str]) -> dict[str, Any]:
    """The configuration of a function, in the words of the API."""
    role = context.resources.require(function.role_key, "setup_scripts/get_LabRole_arn.py")
    starts_from_snapshot = function is GALLERY and SNAPSTART.is_on(context.resources)
    return {
        "Description": f"image-pipeline {checked_out_release()}: {function.purpose}",
        "Runtime": RUNTIME,
        "Role": role,
        "Handler": function.handler,
        "Timeout": function.timeout,
        "MemorySize": function.memory,
        "Environment": {"Variables": environment},
        "SnapStart": {"ApplyOn": "PublishedVersions" if starts_from_snapshot else "None"},
    }


def _create_function(context: Context, function_name: str, wanted: dict[str, Any], code: bytes, machine: str) -> None:
    context.settled(
        lambda: context.aws.functions.create_function(
            FunctionName=function_name,
            Code={"ZipFile": code},
            Architectures=[machine],  # type: ignore[list-item]
            Tags=context.tags,
            **wanted,
        ),
        not_yet=_is_too_new,
    )
    _wait_until_ready(context, function_name)


def _update_function(
    context: Context,
    function_name: str,
    wanted: dict[str, Any],
    present: FunctionConfigurationResponseTypeDef,
    code: bytes,
    machine: str,
) -> None:
    functions = context.aws.functions
    # One that was left half-made by a setup that died takes no update before it is at rest; a dry run does not wait.
    present = _at_rest(context, function_name) or present
    has_failed = _failure(present) is not None
    if not context.tags.items() <= _tags_of(context, present).items():
        functions.tag_resource(Resource=present["FunctionArn"], Tags=context.tags)
    # First: old code passes over a new variable, but new code without one that it needs fails until it comes.
    if has_failed or any(_standing(present, name) != value for name, value in wanted.items()):
        context.settled(
            lambda: functions.update_function_configuration(FunctionName=function_name, **wanted), not_yet=_is_too_new
        )
        _wait_until_ready(context, function_name)
        context.say(f"updated: configuration of {function_name}")
    sha256 = base64.b64encode(hashlib.sha256(code).digest()).decode()
    if present["CodeSha256"] != sha256 or present.get("Architectures", [machine]) != [machine]:
        functions.update_function_code(FunctionName=function_name, ZipFile=code, Architectures=[machine])  # type: ignore[list-item]
        _wait_until_ready(context, function_name)
        context.say(f"updated: code of {function_name}")


def _is_too_new(error: Exception) -> bool:
    return says(error, *_TOO_NEW)


def _is_ours(context: Context, present: FunctionConfigurationResponseTypeDef) -> bool:
    return is_ours(context, present["FunctionName"], _tags_of(context, present))


def _tags_of(context: Context, present: FunctionConfigurationResponseTypeDef) -> dict[str, str]:
    return context.aws.functions.list_tags(Resource=present["FunctionArn"]).get("Tags", {})


def _standing(present: FunctionConfigurationResponseTypeDef, name: str) -> object:
    """What a function has of `name`, as it was asked for: AWS adds to SnapStart how far it has come."""
    if name == "SnapStart":
        return {"ApplyOn": present.get("SnapStart", {}).get("ApplyOn", "None")}
    return present.get(name)


def _configuration(context: Context, function_name: str) -> FunctionConfigurationResponseTypeDef | None:
    return look(lambda: context.aws.functions.get_function_configuration(FunctionName=function_name), _GONE)


def _wait_until_ready(context: Context, function_name: str) -> None:
    """CommandError where AWS could not make it so, with AWS's reason."""
    if reason := _failure(_at_rest(context, function_name)):
        text = f"function {function_name}: {reason.rstrip('.')}"
        raise CommandError(f"{text}. Mend that, and run the same command again", Exit.REFUSED)


def _at_rest(context: Context, function_name: str) -> FunctionConfigurationResponseTypeDef | None:
    """What stands of the function once AWS is not at work on it any more; None in a dry run that would have to wait."""

    def looked() -> FunctionConfigurationResponseTypeDef | None:
        present = _configuration(context, function_name)
        if present is None or "Pending" == present.get("State") or present.get("LastUpdateStatus") == "InProgress":
            return None
        return present

    found: FunctionConfigurationResponseTypeDef | None
    found = context.until(looked, what=f"function {function_name} is not ready", pause=0.2)
    return found


def _failure(present: FunctionConfigurationResponseTypeDef | None) -> str | None:
    """Why AWS could not make or change it, in AWS's words; None where it could."""
    if present is None or "Failed" not in (present.get("State"), present.get("LastUpdateStatus")):
        return None
    return present.get("LastUpdateStatusReason") or present.get("StateReason") or "AWS could not make it"
