"""The public address of the gallery's function: of the function itself, or with SnapStart of its alias `live`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from setup_scripts.context import Context
from setup_scripts.functions import GALLERY
from setup_scripts.live_version import LIVE, ensure_live, live_version, withdraw_live
from setup_scripts.lookup import look
from setup_scripts.switches import SNAPSTART

_GONE = "ResourceNotFoundException"
#: Who may call the gallery through its address: everybody. AWS asks for both rights.
_PUBLIC_RIGHTS: dict[str, dict[str, Any]] = {
    "public-url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "public-invoke": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
}


def ensure_public_url(context: Context) -> str:
    """The address of the gallery's API, made where need be and open to everybody; ends with a slash."""
    function_name = context.suffixed(GALLERY.base_name)
    if not SNAPSTART.is_on(context.resources):
        return _ensure_url(context, {"FunctionName": function_name}, "")
    ensure_live(context, function_name)
    return _ensure_url(context, {"FunctionName": function_name, "Qualifier": LIVE}, f"-{LIVE}")


def close_other_url(context: Context) -> None:
    """After SnapStart was switched, and nothing names the address of before any more: it goes."""
    function_name = context.suffixed(GALLERY.base_name)
    if SNAPSTART.is_on(context.resources):
        _delete_url(context, {"FunctionName": function_name}, "")
    elif live_version(context, function_name):
        _delete_url(context, {"FunctionName": function_name, "Qualifier": LIVE}, f"-{LIVE}")
        withdraw_live(context, function_name)


def _ensure_url(context: Context, function: dict[str, Any], suffix: str) -> str:
    """`suffix` of the statements: those of an alias have a policy of their own, but not in every engine."""
    functions = context.aws.functions
    found = look(lambda: functions.get_function_url_config(**function), _GONE)
    # No Cors here: the function answers for itself, and two sets of headers cancel each other.
    url = (found or functions.create_function_url_config(**function, AuthType="NONE"))["FunctionUrl"]
    answer = look(lambda: functions.get_policy(**function), _GONE)
    present = {statement.get("Sid") for statement in json.loads(answer["Policy"])["Statement"]} if answer else set()
    for sid, right in _PUBLIC_RIGHTS.items():
        if sid + suffix not in present:
            functions.add_permission(**function, StatementId=sid + suffix, Principal="*", **right)
    return _reachable(context, url)


def _delete_url(context: Context, function: dict[str, Any], suffix: str) -> None:
    functions = context.aws.functions
    if not look(lambda: functions.get_function_url_config(**function), _GONE):
        return
    for sid in _PUBLIC_RIGHTS:
        look(lambda s=sid + suffix: functions.remove_permission(**function, StatementId=s), _GONE)  # type: ignore[misc]
    functions.delete_function_url_config(**function)


def _reachable(context: Context, url: str) -> str:
    """`url` as it can be called: the local cloud serves, under a path, what AWS serves under a host name."""
    endpoint_url = context.aws.target.endpoint_url
    if endpoint_url is None:
        return url
    url_id = (urlsplit(url).hostname or "").partition(".")[0]
    return f"{endpoint_url}/_aws/lambda-url/{url_id}/"
