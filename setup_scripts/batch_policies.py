"""The policies of AWS Batch: of the jobs, of what starts them, and of the function that submits them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from setup_scripts.policies import Policy, allow, policy

#: In the outputs bucket of the deployment: lists, outputs and results, which nobody reads without rights.
OWN_FOLDER = "batch/*"


def tasks_trust() -> Policy:
    """Fargate's tasks, and nobody else, may take the role."""
    return policy({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"})


def job_role(*, uploads: str, outputs: str, read: Sequence[str], write: Sequence[str]) -> Policy:
    """The rights of bulk/compress_images.py: it takes the place of access keys in the job definition."""
    readable = [_bucket(name) for name in dict.fromkeys([uploads, *read])]
    writable = [f"{_bucket(outputs)}/{OWN_FOLDER}", *(f"{_bucket(name)}/*" for name in write)]
    listed = dict.fromkeys([*readable, _bucket(outputs), *map(_bucket, write)])
    return policy(
        allow("ReadImages", ["s3:GetObject"], [f"{arn}/*" for arn in readable]),
        # An output, and the results of a batch, are looked at before they are replaced.
        allow("WriteOutputs", ["s3:GetObject", "s3:PutObject"], writable),
        allow("TellMissingFromForbidden", ["s3:ListBucket"], list(listed)),
    )


def execution_role(*, repository_arn: str, log_group_arn: str) -> Policy:
    """What Fargate needs before the program runs: its image, and a place for its log."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return policy(
        # Registries give the token that opens them; there is one for an account.
        allow("OpenRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
        allow("PullImage", pull, [repository_arn]),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn}:*"]),
    )


def submitting_role(
    *, outputs: str, write: Sequence[str], queue_arn: str, definition_arn: str, log_group_arn: str
) -> Policy:
    """The rights of ImageBatchFunction. Neither ListJobs nor DescribeJobs can be narrowed to some jobs."""
    lists = [f"{_bucket(outputs)}/{OWN_FOLDER}", *(f"{_bucket(name)}/*" for name in write)]
    return policy(
        allow("ReadListsAndKeepClaims", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], lists),
        allow(
            "TellMissingFromForbidden", ["s3:ListBucket"], [_bucket(name) for name in dict.fromkeys([outputs, *write])]
        ),
        allow("Submit", ["batch:SubmitJob"], [queue_arn, definition_arn]),
        allow("FindJobs", ["batch:ListJobs"], ["*"]),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn}:*"]),
    )


def documents() -> dict[str, dict[str, Any]]:
    """File name → policy, with placeholders where setup puts the names of a deployment."""
    outputs, account, region = "<outputs bucket>", "<account>", "<region>"
    here, group = f"{region}:{account}", f"arn:aws:logs:{region}:{account}:log-group:/aws"
    write = ["<bucket of --batch-write>"]
    return {
        "batch_tasks_trust.json": tasks_trust(),
        "batch_job_role.json": job_role(
            uploads="<uploads bucket>", outputs=outputs, read=["<bucket of --batch-read>"], write=write
        ),
        "batch_execution_role.json": execution_role(
            repository_arn=f"arn:aws:ecr:{here}:repository/image-batch", log_group_arn=f"{group}/batch/ImageBatchJob"
        ),
        "batch_submitting_role.json": submitting_role(
            outputs=outputs,
            write=write,
            queue_arn=f"arn:aws:batch:{here}:job-queue/ImageBatchQueue",
            definition_arn=f"arn:aws:batch:{here}:job-definition/ImageBatchJob*",
            log_group_arn=f"{group}/lambda/ImageBatchFunction",
        ),
    }


def _bucket(name: str) -> str:
    return f"arn:aws:s3:::{name}"
