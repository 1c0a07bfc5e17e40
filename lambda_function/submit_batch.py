"""Creates the jobs of AWS Batch that compress the images of a file list: one array job, and never a second."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_function.logs import function_logger
from pipeline.batch.jobs import BatchJobs, Order
from pipeline.batch.settings import BatchSettings
from pipeline.batch.stored_lists import StoredList, pinned
from pipeline.clients import make_client, new_session

logger = function_logger("submit_batch")
session = new_session()
s3 = make_client(session, "s3")
jobs = BatchJobs(
    make_client(session, "batch"),
    make_client(session, "batch", attempts=1),
    s3,
    queue=os.environ["BATCH_QUEUE"],
    definition=os.environ["BATCH_JOB_DEFINITION"],
)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Submit what the event says: IN_BUCKET, JSON_LOCATION, OUT_BUCKET, OUT_KEY and the other variables of a job.

    What it leaves out is taken from the function's own variables. `"token"` names the submission: the same one is
    submitted once. Without it, that is the call, which Lambda repeats when it fails.
    """
    settings = pinned(s3, BatchSettings.from_environment(_variables(event, os.environ)))
    batches = StoredList.of(s3, settings).count()
    order = Order(settings=settings, batches=tuple(range(1, batches + 1)), token=_token(event, context))
    submitted = jobs.submit(order)
    facts = {"jobId": submitted.job_id, "jobName": submitted.name, "batches": batches, "isNew": submitted.is_new}
    logger.info("submitted" if submitted.is_new else "submitted before", extra=facts)
    return facts


def _variables(event: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """JSON has true and numbers, variables have texts."""
    given = {name: str(value) for name, value in event.items() if isinstance(value, (str, bool, int))}
    return {**environ, **given}


def _token(event: Mapping[str, Any], context: LambdaContext) -> str:
    """It becomes part of a key and of a job's name."""
    return hashlib.sha256(str(event.get("token") or context.aws_request_id).encode()).hexdigest()[:16]
