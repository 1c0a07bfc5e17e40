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
FUNCTIONS = (PROCESSING, GALLERY, COUNTING)
