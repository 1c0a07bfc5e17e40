"""Packages and configures the three functions, and gives the gallery's its public address."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cli import names
from pipeline.settings import Settings, price_per_gb_month
from setup_scripts import package
from setup_scripts.context import Context
from setup_scripts.lookup import look, says

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

RUNTIME = "python3.13"
LOG_DAYS = 14
_GONE = "ResourceNotFoundException"


@dataclass(frozen=True, kw_only=True)
class Function:
    """What sets one function apart. `key`, `role_key`: its name and its role in the state; memory in MB."""

    key: str
    base_name: str
    handler: str
    role_key: str
    memory: int
    timeout: int


PROCESSING = Function(
    key="lambda-function",
    base_name=names.FUNCTION,
    handler="lambda_function.handler.lambda_handler",
    role_key="labrole-arn",
    memory=1792,
    timeout=120,
)
GALLERY = Function(
    key="gallery-function",
    base_name=names.GALLERY_FUNCTION,
    handler="lambda_function.gallery_api.lambda_handler",
    role_key="gallery-role-arn",
    memory=512,
    timeout=15,
)
COUNTING = Function(
    key="stats-function",
    base_name=names.STATS_FUNCTION,
    handler="lambda_function.count_stats.lambda_handler",
    role_key="stats-role-arn",
    memory=512,
    timeout=30,
)
FUNCTIONS = (PROCESSING, GALLERY, COUNTING)

#: Who may call the gallery through its address: everybody. AWS asks for both rights.
_PUBLIC_RIGHTS: dict[str, dict[str, Any]] = {
    "public-url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "public-invoke": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
}


def create(context: Context) -> None:
    runtime = package.runtime_for(is_aws=context.aws.target.is_aws)
    code = context.build(runtime, context.home, say=context.say).read_bytes()
    for function in FUNCTIONS:
        _ensure_log_group(context, function)
        _ensure_function(context, function, code, runtime.machine)
    context.resources["gallery-api-url"] = _ensure_public_url(context, context.suffixed(GALLERY.base_name))


def delete(context: Context) -> None:
    for function in reversed(FUNCTIONS):
        function_name = context.suffixed(function.base_name)
        if _configuration(context, function_name):
            look(lambda n=function_name: context.aws.functions.delete_function(FunctionName=n), _GONE)  # type: ignore[misc]
            context.say(f"deleted: function {function_name}")
        context.resources.pop(function.key, None)
    context.resources.pop("gallery-api-url", None)


def delete_log_groups(context: Context) -> None:
    """Apart from `delete`, and last: a function that is still running would make its group again."""
    for function in FUNCTIONS:
        group = names.log_group(context.suffixed(function.base_name))
        if _log_group(context, group):
            look(lambda g=group: context.aws.logs.delete_log_group(logGroupName=g), _GONE)  # type: ignore[misc]
            context.say(f"deleted: log group {group}")


def settings(context: Context) -> Settings:
    """What all functions are told through their environment."""
    buckets = "setup_scripts/create_s3_buckets.py"
    uploads = context.resources.require("images-bucket", buckets)
    outputs = context.resources.require("thumbnails-bucket", buckets)
    return Settings(
        uploads_bucket=uploads,
        outputs_bucket=outputs,
        table_name=context.resources.require("dynamodb-table", "setup_scripts/create_dynamodb_table.py"),
        queue_url=context.resources.require("messages-queue", "setup_scripts/create_sqs_queue.py"),
        uploads_url=context.bucket_url(uploads),
        outputs_url=context.bucket_url(outputs),
        function_timeout=PROCESSING.timeout,
        stats_table_name=context.resources.require("stats-table", "setup_scripts/create_stats_table.py"),
        price_per_gb_month=price_per_gb_month(os.environ),
    )


def _ensure_log_group(context: Context, function: Function) -> None:
    group = names.log_group(context.suffixed(function.base_name))
    present = _log_group(context, group)
    if present is None:
        context.aws.logs.create_log_group(logGroupName=group, tags=context.tags)
        context.say(f"created: log group {group}")
    if present is None or present.get("retentionInDays") != LOG_DAYS:
        context.aws.logs.put_retention_policy(logGroupName=group, retentionInDays=LOG_DAYS)


def _log_group(context: Context, group: str) -> dict[str, Any] | None:
    found = context.aws.logs.describe_log_groups(logGroupNamePrefix=group).get("logGroups", [])
    return next((dict(entry) for entry in found if entry.get("logGroupName") == group), None)


def _ensure_function(context: Context, function: Function, code: bytes, machine: str) -> None:
    function_name = context.suffixed(function.base_name)
    wanted = _wanted(context, function)
    present = _configuration(context, function_name)
    if present is None:
        _create_function(context, function_name, wanted, code, machine)
        context.say(f"created: function {function_name}")
    else:
        _update_function(context, function_name, wanted, present, code, machine)
    context.resources[function.key] = function_name


def _wanted(context: Context, function: Function) -> dict[str, Any]:
    """The configuration of a function, in the words of the API."""
    role = context.resources.require(function.role_key, "setup_scripts/get_LabRole_arn.py")
    return {
        "Runtime": RUNTIME,
        "Role": role,
        "Handler": function.handler,
        "Timeout": function.timeout,
        "MemorySize": function.memory,
        "Environment": {"Variables": settings(context).to_environment()},
    }


def _create_function(context: Context, function_name: str, wanted: dict[str, Any], code: bytes, machine: str) -> None:
    # For some seconds after a role was made, Lambda does not know it yet.
    context.settled(
        lambda: context.aws.functions.create_function(
            FunctionName=function_name,
            Code={"ZipFile": code},
            Architectures=[machine],  # type: ignore[list-item]
            Tags=context.tags,
            **wanted,
        ),
        not_yet=lambda error: says(error, "cannot be assumed by Lambda"),
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
    # One that was left half-made by a setup that died takes no update before it is ready.
    _wait_until_ready(context, function_name)
    tags = functions.list_tags(Resource=present["FunctionArn"]).get("Tags", {})
    if not context.tags.items() <= tags.items():
        functions.tag_resource(Resource=present["FunctionArn"], Tags=context.tags)
    if present["CodeSha256"] != base64.b64encode(hashlib.sha256(code).digest()).decode():
        functions.update_function_code(FunctionName=function_name, ZipFile=code, Architectures=[machine])  # type: ignore[list-item]
        _wait_until_ready(context, function_name)
        context.say(f"updated: code of {function_name}")
    if any(present.get(name) != value for name, value in wanted.items()):
        functions.update_function_configuration(FunctionName=function_name, **wanted)
        _wait_until_ready(context, function_name)
        context.say(f"updated: configuration of {function_name}")


def _configuration(context: Context, function_name: str) -> FunctionConfigurationResponseTypeDef | None:
    return look(lambda: context.aws.functions.get_function_configuration(FunctionName=function_name), _GONE)


def _wait_until_ready(context: Context, function_name: str) -> None:
    def ready() -> bool:
        present = _configuration(context, function_name)
        if present is None:
            return False
        return (present.get("State", "Active"), present.get("LastUpdateStatus", "Successful")) == (
            "Active",
            "Successful",
        )

    context.until(ready, what=f"function {function_name} is not ready", pause=0.2)


def _ensure_public_url(context: Context, function_name: str) -> str:
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


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
