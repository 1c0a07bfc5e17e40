"""The policies of the image service: of its function, and of the bucket that takes the images."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.image_service.job import DELIVERIES, REDIRECTED
from pipeline.image_service.settings import DEFAULT_PREFIX
from setup_scripts.policies import Policy, allow, consume, logs, outputs_bucket, policy


def image_service_role(
    *,
    bucket: str,
    prefix: str,
    queue_arn: str,
    redirect_arns: Sequence[str],
    parameter_arns: Sequence[str],
    log_group_arn: str,
) -> Policy:
    """The rights of ImageServiceFunction. Its secrets may lie in parameters; its results may go to some queues."""
    objects = f"arn:aws:s3:::{bucket}"
    statements = [
        allow("WriteImages", ["s3:GetObject", "s3:PutObject"], [f"{objects}/{prefix}/*"]),
        allow("KeepReplies", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"{objects}/{DELIVERIES}/*"]),
        allow("PutLargeResults", ["s3:PutObject"], [f"{objects}/{REDIRECTED}/*"]),
        allow("TellMissingFromForbidden", ["s3:ListBucket"], [objects]),
        consume(queue_arn),
    ]
    if redirect_arns:
        statements.append(allow("Redirect", ["sqs:SendMessage"], list(redirect_arns)))
        # A list of queues cannot be narrowed to some of them.
        statements.append(allow("FindQueues", ["sqs:ListQueues"], ["*"]))
    if parameter_arns:
        statements.append(allow("ReadSecrets", ["ssm:GetParameter"], list(parameter_arns)))
    return policy(*statements, logs(log_group_arn))


def image_service_bucket(bucket: str, prefix: str, *, tls: bool) -> Policy:
    """Everybody reads the images. What is still to be said of them lies beside, and is nobody's to read."""
    return outputs_bucket(bucket, tls=tls, public=(f"{prefix}/*",))


def documents() -> dict[str, Policy]:
    """File name → policy, with placeholders where setup puts the names of a deployment."""
    here, bucket = "<region>:<account>", "<service bucket>"
    role = image_service_role(
        bucket=bucket,
        prefix=DEFAULT_PREFIX,
        queue_arn=f"arn:aws:sqs:{here}:ImageQueue.fifo",
        redirect_arns=[f"arn:aws:sqs:{here}:<queue of REDIRECT_QUEUES>"],
        parameter_arns=[f"arn:aws:ssm:{here}:parameter/<parameter of ssm:/…>"],
        log_group_arn=f"arn:aws:logs:{here}:log-group:/aws/lambda/ImageServiceFunction",
    )
    return {
        "image_service_role.json": role,
        "image_service_bucket.json": image_service_bucket(bucket, DEFAULT_PREFIX, tls=True),
    }
