"""Roles of IAM: made with one policy each, adjusted and deleted; what they may do is for the steps to say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from botocore.exceptions import ClientError

from cli import names
from cli.aws_words import FORBIDDEN
from cli.exits import CommandError, Exit
from pipeline.aws_errors import code_of
from setup_scripts import policies
from setup_scripts.context import Context
from setup_scripts.lookup import look, says, tag_list
from setup_scripts.ownership import is_ours, leave, refuse

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import RoleTypeDef

LAB_ROLE = "LabRole"
#: How keys of the state begin that name a role which teardown could not delete.
ROLE_LEFT = "role-left-"
_POLICY_NAME = "image-pipeline"


def ensure_role(
    context: Context, function: str, policy: policies.Policy, *, trust: policies.Policy | None = None
) -> str:
    """The ARN of the role of `function`, made where need be, with exactly `policy`; or of LabRole.

    `trust`: who may take it, where that is not Lambda.
    """
    role_name = names.role(function, context.aws.target.region)
    arn = _trusting_role(context, role_name, trust or policies.lambda_trust())
    if arn is None:
        return _lab_role_arn(context)
    answer = look(lambda: context.aws.iam.get_role_policy(RoleName=role_name, PolicyName=_POLICY_NAME), "NoSuchEntity")
    if answer is None or _document(answer["PolicyDocument"]) != policy:
        text = json.dumps(policy)
        # For some seconds after a role was made, not all of IAM knows it.
        context.settled(
            lambda: context.aws.iam.put_role_policy(RoleName=role_name, PolicyName=_POLICY_NAME, PolicyDocument=text),
            not_yet=lambda error: says(error, "NoSuchEntity"),
        )
    return arn


def delete_role(context: Context, role_name: str) -> None:
    """A role to which others attached policies stays, and is kept in the state as left over: all else goes on."""
    context.resources.pop(f"{ROLE_LEFT}{role_name}", None)
    role = _role(context, role_name)
    if role is None:
        return
    if not _is_ours(context, role):
        return leave(context, "role", role_name)
    look(lambda: context.aws.iam.delete_role_policy(RoleName=role_name, PolicyName=_POLICY_NAME), "NoSuchEntity")
    try:
        look(lambda: context.aws.iam.delete_role(RoleName=role_name), "NoSuchEntity")
        context.say(f"deleted: role {role_name}")
    except ClientError as error:
        if code_of(error) != "DeleteConflict":
            raise
        context.resources[f"{ROLE_LEFT}{role_name}"] = role["Arn"]
        context.say(f"role {role_name} has policies that others attached: detach them, and run the same command again")


def delete_left(context: Context) -> None:
    """Roles that an earlier teardown could not delete, whoever wanted them then."""
    for key in [key for key in context.resources if key.startswith(ROLE_LEFT)]:
        delete_role(context, key.removeprefix(ROLE_LEFT))


def log_group_arn(context: Context, function: str) -> str:
    target = context.aws.target
    return f"arn:aws:logs:{target.region}:{target.account}:log-group:{names.log_group(function)}"


def _trusting_role(context: Context, role_name: str, trust: policies.Policy) -> str | None:
    """The ARN of the role, made or put right so that it can be taken by whom `trust` says; None without a right."""
    role = _role(context, role_name)
    if role is None:
        return _create_role(context, role_name, trust)
    if not _is_ours(context, role):
        raise refuse("role", role_name)
    if _document(role.get("AssumeRolePolicyDocument", trust)) != trust:
        context.aws.iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=json.dumps(trust))
        context.say(f"updated: who may take role {role_name}")
    return role["Arn"]


def _role(context: Context, role_name: str) -> RoleTypeDef | None:
    answer = look(lambda: context.aws.iam.get_role(RoleName=role_name), "NoSuchEntity", *FORBIDDEN)
    return answer["Role"] if answer else None


def _is_ours(context: Context, role: RoleTypeDef) -> bool:
    return is_ours(context, role["Arn"], {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])})


def _create_role(context: Context, role_name: str, trusted: policies.Policy) -> str | None:
    """The ARN of a new role, or None where these credentials may not make any."""
    trust, tags = json.dumps(trusted), tag_list(context.tags)
    answer = look(
        lambda: context.aws.iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=trust, Tags=tags),  # type: ignore[arg-type]
        *FORBIDDEN,
    )
    if answer is None:
        return None
    context.say(f"created: role {role_name}")
    return answer["Role"]["Arn"]


def _lab_role_arn(context: Context) -> str:
    role = _role(context, LAB_ROLE)
    if role is None:
        text = "these credentials may not create roles (iam:CreateRole), and the account has no LabRole"
        raise CommandError(f"{text}: use credentials that may, or start the lab that has it", Exit.REFUSED)
    context.say(f"using {LAB_ROLE}: these credentials may not create roles")
    return role["Arn"]


def _document(document: object) -> object:
    """The policy as a dict: IAM sends it URL-encoded, and botocore decodes it where it knows."""
    return json.loads(unquote(document)) if isinstance(document, str) else document
