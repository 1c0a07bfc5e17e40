"""The public address of the gallery's function."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from setup_scripts.context import Context
from setup_scripts.lookup import look

_GONE = "ResourceNotFoundException"
#: Who may call the gallery through its address: everybody. AWS asks for both rights.
_PUBLIC_RIGHTS: dict[str, dict[str, Any]] = {
    "public-url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "public-invoke": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
}


def ensure_public_url(context: Context, function_name: str) -> str:
    """The address of the function, made where need be and open to everybody; ends with a slash."""
    functions = context.aws.functions
    found = look(lambda: functions.get_function_url_config(FunctionName=function_name), _GONE)
    url = found["FunctionUrl"] if found else _create_url(context, function_name)
    answer = look(lambda: functions.get_policy(FunctionName=function_name), _GONE)
    present = {statement.get("Sid") for statement in json.loads(answer["Policy"])["Statement"]} if answer else set()
    for sid, right in _PUBLIC_RIGHTS.items():
        if sid not in present:
            functions.add_permission(FunctionName=function_name, StatementId=sid, Principal="*", **right)
    return _reachable(context, url)


def _create_url(context: Context, function_name: str) -> str:
    # No Cors here: the function answers for itself, and two sets of headers cancel each other.
    made = context.aws.functions.create_function_url_config(FunctionName=function_name, AuthType="NONE")
    return made["FunctionUrl"]


def _reachable(context: Context, url: str) -> str:
    """`url` as it can be called: the local cloud serves, under a path, what AWS serves under a host name."""
    endpoint_url = context.aws.target.endpoint_url
    if endpoint_url is None:
        return url
    url_id = (urlsplit(url).hostname or "").partition(".")[0]
    return f"{endpoint_url}/_aws/lambda-url/{url_id}/"
