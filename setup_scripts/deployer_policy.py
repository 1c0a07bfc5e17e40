"""The rights of whoever runs setup.py, the other commands and teardown.py on AWS.

They reach the resources that setup.py names, of any deployment in this account and region, and nothing else of it.
"""

from __future__ import annotations

from typing import Any

from cli import names
from setup_scripts.functions import FUNCTIONS, IMAGE_SERVICE
from setup_scripts.policies import Policy, allow, policy

#: By what a statement is about; where an action has another name than boto3's operation, IAM's is what counts.
_BUCKETS = [
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:GetBucketTagging",
    "s3:PutBucketTagging",
    "s3:GetBucketPublicAccessBlock",
    "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:PutBucketVersioning",
    "s3:GetLifecycleConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:GetBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:GetBucketWebsite",
    "s3:PutBucketWebsite",
    "s3:GetBucketNotification",
    "s3:PutBucketNotification",
]
_OBJECTS = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
]
_QUEUES = [
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sqs:GetQueueUrl",
    "sqs:GetQueueAttributes",
    "sqs:SetQueueAttributes",
    "sqs:ListQueueTags",
    "sqs:TagQueue",
    # upload_folder_images.py --send-messages, status.py --redrive
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
]
_TABLES = [
    "dynamodb:CreateTable",
    "dynamodb:DeleteTable",
    "dynamodb:DescribeTable",
    "dynamodb:UpdateTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:UpdateTimeToLive",
    "dynamodb:ListTagsOfResource",
    "dynamodb:TagResource",
]
_RECORDS = [
    # upload_folder_images.py waits for them, bulk/backfill.py compares.
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    # query.py: what a statement may do is for whoever writes it.
    "dynamodb:PartiQLSelect",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
]
FUNCTION_ACTIONS = [
    "lambda:CreateFunction",
    "lambda:DeleteFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:ListTags",
    "lambda:TagResource",
    "lambda:GetPolicy",
    "lambda:AddPermission",
    "lambda:GetFunctionUrlConfig",
    "lambda:CreateFunctionUrlConfig",
    # setup.py --snapstart, --no-snapstart
    "lambda:DeleteFunctionUrlConfig",
    "lambda:RemovePermission",
    "lambda:PublishVersion",
    "lambda:ListVersionsByFunction",
    "lambda:GetAlias",
    "lambda:CreateAlias",
    "lambda:UpdateAlias",
    "lambda:DeleteAlias",
]
_TRIGGERS = [
    "lambda:CreateEventSourceMapping",
    "lambda:GetEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:ListEventSourceMappings",
    "lambda:TagResource",
]
ROLE_ACTIONS = [
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:GetRole",
    "iam:TagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:GetRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
]
LOG_ACTIONS = [
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:ListTagsForResource",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    # status.py --logs
    "logs:FilterLogEvents",
]
_ALARMS = ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:TagResource"]
_DASHBOARDS = [
    "cloudwatch:GetDashboard",
    "cloudwatch:PutDashboard",
    "cloudwatch:DeleteDashboards",
    "cloudwatch:TagResource",
]
#: Of everything, or of nothing: their answers cannot be narrowed to names.
_LISTS = ["logs:DescribeLogGroups", "cloudwatch:DescribeAlarms", "lambda:GetAccountSettings", "tag:GetResources"]
_CLOUDFRONT = [
    "cloudfront:CreateDistribution",
    "cloudfront:DeleteDistribution",
    "cloudfront:GetDistribution",
    "cloudfront:GetDistributionConfig",
    "cloudfront:ListDistributions",
    "cloudfront:TagResource",
    "cloudfront:UpdateDistribution",
    "cloudfront:CreateOriginAccessControl",
    "cloudfront:DeleteOriginAccessControl",
    "cloudfront:GetOriginAccessControl",
    "cloudfront:ListOriginAccessControls",
]


def deployer(account: str, region: str) -> Policy:
    """What an administrator gives to the person who deploys, in one account and region.

    Who may write a role's policy may write anything into it; a permissions boundary is what stops that, if it matters.
    """
    here = f"{region}:{account}"
    prefixes = (names.IMAGES_BUCKET, names.THUMBNAILS_BUCKET, names.SERVICE_BUCKET)
    buckets = [f"arn:aws:s3:::{bucket}-*" for bucket in prefixes]
    queues = [f"arn:aws:sqs:{here}:{queue}" for queue in (f"{names.QUEUE}-*", f"{names.IMAGE_QUEUE}*")]
    tables = [f"arn:aws:dynamodb:{here}:table/{table}*" for table in (names.TABLE, names.STATS_TABLE)]
    functions = [function.base_name for function in (*FUNCTIONS, IMAGE_SERVICE)]
    roles = [f"arn:aws:iam::{account}:role/{function}*" for function in functions]
    return policy(
        allow("Buckets", _BUCKETS, buckets),
        allow("Objects", _OBJECTS, [f"{bucket}/*" for bucket in buckets]),
        allow("Queues", _QUEUES, queues),
        allow("Tables", _TABLES, tables),
        allow("Records", _RECORDS, [arn for table in tables for arn in (table, f"{table}/index/*")]),
        allow("Functions", FUNCTION_ACTIONS, [f"arn:aws:lambda:{here}:function:{function}*" for function in functions]),
        # For --cloudfront only; CloudFront gives names of its own.
        allow("CloudFront", _CLOUDFRONT, ["*"]),
        # Their ARNs hold nothing but a number, and the list of them has no ARN at all.
        allow("Triggers", _TRIGGERS, ["*"]),
        allow("Roles", ROLE_ACTIONS, [*roles, f"arn:aws:iam::{account}:role/LabRole"]),
        pass_roles([*roles, f"arn:aws:iam::{account}:role/LabRole"]),
        *_watching(account, here, functions),
        allow("Lists", _LISTS, ["*"]),
    )


def _watching(account: str, here: str, functions: list[str]) -> list[dict[str, Any]]:
    groups = [f"arn:aws:logs:{here}:log-group:{names.log_group(function)}*" for function in functions]
    return [
        allow("Logs", LOG_ACTIONS, groups),
        allow("Alarms", _ALARMS, [f"arn:aws:cloudwatch:{here}:alarm:{names.TAG}*"]),
        allow("Dashboards", _DASHBOARDS, [f"arn:aws:cloudwatch::{account}:dashboard/{names.TAG}*"]),
    ]


def pass_roles(roles: list[str], *services: str) -> dict[str, Any]:
    """To these only: otherwise these roles could be lent to anything."""
    told: str | list[str] = list(services) if services else "lambda.amazonaws.com"
    condition = {"StringEquals": {"iam:PassedToService": told}}
    return {**allow("PassRoles", ["iam:PassRole"], roles), "Condition": condition}
