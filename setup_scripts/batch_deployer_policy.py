"""The rights of whoever runs setup.py --with-batch and bulk/submit_batch.py, on top of `deployer_policy.py`."""

from __future__ import annotations

from cli import names
from setup_scripts.deployer_policy import FUNCTION_ACTIONS, LOG_ACTIONS, ROLE_ACTIONS, pass_roles
from setup_scripts.policies import Policy, allow, policy

_BATCH = "ImageBatch"
_BATCH_RESOURCES = [
    "batch:CreateComputeEnvironment",
    "batch:CreateJobQueue",
    "batch:DeleteComputeEnvironment",
    "batch:DeleteJobQueue",
    "batch:DeregisterJobDefinition",
    "batch:RegisterJobDefinition",
    "batch:SubmitJob",
    "batch:TagResource",
    "batch:UpdateComputeEnvironment",
    "batch:UpdateJobQueue",
]
_BATCH_LOOKS = [
    "batch:DescribeComputeEnvironments",
    "batch:DescribeJobDefinitions",
    "batch:DescribeJobQueues",
    "batch:DescribeJobs",
    "batch:ListJobs",
]
_REPOSITORY = [
    "ecr:CreateRepository",
    "ecr:DeleteRepository",
    "ecr:DescribeRepositories",
    "ecr:ListTagsForResource",
    "ecr:TagResource",
    # docker push
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]


def batch_deployer(account: str, region: str) -> Policy:
    """What an administrator gives on top; one managed policy would be too long for both."""
    here = f"{region}:{account}"
    roles = [f"arn:aws:iam::{account}:role/{_BATCH}*"]
    linked = f"arn:aws:iam::{account}:role/aws-service-role/batch.amazonaws.com/*"
    groups = [f"arn:aws:logs:{here}:log-group:/aws/{service}/{_BATCH}*" for service in ("batch", "lambda")]
    kinds = ("compute-environment", "job-queue", "job-definition")
    return policy(
        allow("Batch", _BATCH_RESOURCES, [f"arn:aws:batch:{here}:{kind}/{_BATCH}*" for kind in kinds]),
        # Lists and looks that AWS Batch does not let anybody narrow.
        allow("BatchLooks", _BATCH_LOOKS, ["*"]),
        allow("Network", ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"], ["*"]),
        allow("Repository", _REPOSITORY, [f"arn:aws:ecr:{here}:repository/{names.BATCH_REPOSITORY}*"]),
        allow("Registry", ["ecr:GetAuthorizationToken"], ["*"]),
        allow("Functions", FUNCTION_ACTIONS, [f"arn:aws:lambda:{here}:function:{names.BATCH_FUNCTION}*"]),
        allow("Roles", ROLE_ACTIONS, roles),
        # AWS Batch acts in an account through a role that it makes by itself, the first time.
        allow("ServiceRole", ["iam:CreateServiceLinkedRole"], [linked]),
        pass_roles(roles, "lambda.amazonaws.com", "ecs-tasks.amazonaws.com"),
        allow("Logs", [*LOG_ACTIONS, "logs:GetLogEvents"], groups),
    )
