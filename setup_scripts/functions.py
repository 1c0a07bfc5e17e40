"""The functions of a deployment, and what sets each apart."""

from __future__ import annotations

from dataclasses import dataclass

from cli import names


@dataclass(frozen=True, kw_only=True)
class Function:
    """What sets one function apart. `key`, `role_key`: its name and its role in the state; memory in MB."""

    purpose: str
    key: str
    base_name: str
    handler: str
    role_key: str
    memory: int
    timeout: int


PROCESSING = Function(
    purpose="makes thumbnail, compressed image and record of every upload",
    key="lambda-function",
    base_name=names.FUNCTION,
    handler="lambda_function.handler.lambda_handler",
    role_key="labrole-arn",
    memory=1792,
    timeout=120,
)
GALLERY = Function(
    purpose="answers what the gallery's page asks",
    key="gallery-function",
    base_name=names.GALLERY_FUNCTION,
    handler="lambda_function.gallery_api.lambda_handler",
    role_key="gallery-role-arn",
    memory=512,
    timeout=15,
)
COUNTING = Function(
    purpose="counts changes of the metadata table into totals",
    key="stats-function",
    base_name=names.STATS_FUNCTION,
    handler="lambda_function.count_stats.lambda_handler",
    role_key="stats-role-arn",
    memory=512,
    timeout=30,
)
#: What every deployment has.
FUNCTIONS: tuple[Function, ...] = (PROCESSING, GALLERY, COUNTING)
#: With `setup.py --with-image-service` only. Two images at 30 s each, their decoding, and a postback of 15 s.
IMAGE_SERVICE = Function(
    purpose="answers messages with URLs of images",
    key="image-service-function",
    base_name=names.IMAGE_SERVICE_FUNCTION,
    handler="lambda_function.handler.lambda_handler",
    role_key="image-service-role-arn",
    memory=1792,
    timeout=180,
)
#: With `setup.py --with-batch` only. Counting the batches of a long list that is one file takes its time.
SUBMITTING = Function(
    purpose="submits jobs of AWS Batch for file lists",
    key="batch-function",
    base_name=names.BATCH_FUNCTION,
    handler="lambda_function.submit_batch.lambda_handler",
    role_key="batch-function-role-arn",
    memory=1792,
    timeout=900,
)
