"""Jobs in AWS Batch: submit one array job for a file list, and never a second."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws_errors import THROTTLED, code_of, retried, status_of
from pipeline.batch.claims import Claim, Claims
from pipeline.batch.file_list import batch_name
from pipeline.batch.settings import BATCH, INDEXES, BatchSettings
from pipeline.errors import RetryError

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_s3 import S3Client

#: Job names begin so; the token follows.
PREFIX = "image-pipeline-"
#: Seconds after which a claim without a job is nobody's: SubmitJob and its answer take far less.
ABANDONED = 60.0
#: How often an unclear SubmitJob is tried, and how often the job is looked for after each.
_ATTEMPTS = 3
_LOOKS = 4


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be submitted: `batches` of the list, counted from 1. The same `token` is submitted once."""

    settings: BatchSettings
    batches: tuple[int, ...]
    token: str


@dataclass(frozen=True)
class Submitted:
    """The job of a token. `is_new`: it was submitted just now."""

    job_id: str
    name: str
    is_new: bool


class BatchJobs:
    """The jobs of one queue. Every method raises RetryError for whatever AWS may answer better later.

    `batch_once` is a client that sends nothing twice: a second SubmitJob would be a second job.
    """

    def __init__(
        self,
        batch: BatchClient,
        batch_once: BatchClient,
        s3: S3Client,
        *,
        queue: str,
        definition: str,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._batch = batch
        self._batch_once = batch_once
        self._s3 = s3
        self._queue = queue
        self._definition = definition
        self._sleep = sleep
        self._clock = clock

    def submit(self, order: Order) -> Submitted:
        """One job for the order, and never a second: neither for a lost answer nor for a call that is repeated."""
        name = f"{PREFIX}{order.token}"
        claims = Claims(self._s3, order.settings.in_bucket, order.settings.json_location)
        claim, ours = claims.take(order.token, name, self._clock())
        while not ours:
            job_id = claim.job_id or self._find(name)
            if job_id:
                return Submitted(job_id, name, is_new=False)
            claim, ours = self._wait_or_take_over(claims, order.token, claim)
        return self._submit(claims, claim, order)

    def _wait_or_take_over(self, claims: Claims, token: str, claim: Claim) -> tuple[Claim, bool]:
        """Another process is about to submit, or died before it did."""
        if self._clock() < claim.at + ABANDONED:
            self._sleep(1 + random.random())
        elif taken := claims.take_over(token, claim, self._clock()):
            return taken, True
        return claims.take(token, claim.name, self._clock())

    def _submit(self, claims: Claims, claim: Claim, order: Order) -> Submitted:
        request = self._request(claims, claim.name, order)
        try:
            job_id = self._call(request)
        except RetryError as error:
            if _is_refusal(error):
                claims.release(order.token, claim)
                raise
            job_id = self._look_or_call_again(request)
        claims.settle(order.token, claim, job_id)
        return Submitted(job_id, claim.name, is_new=True)

    def _call(self, request: dict[str, Any]) -> str:
        with retried(f"SubmitJob {request['jobName']}"):
            return self._batch_once.submit_job(**request)["jobId"]

    def _look_or_call_again(self, request: dict[str, Any]) -> str:
        """After a call without an answer nobody knows whether there is a job; its name tells.

        Whatever is refused from here on, the claim stays: that call may have made a job all the same.
        """
        for attempt in range(2, _ATTEMPTS + 1):
            if job_id := self._look_for(request["jobName"]):
                return job_id
            try:
                return self._call(request)
            except RetryError as error:
                if _is_refusal(error) or attempt == _ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _look_for(self, name: str) -> str | None:
        for look in range(_LOOKS):
            self._sleep(2.0**look)
            if job_id := self._find(name):
                return job_id
        return None

    def _find(self, name: str) -> str | None:
        with retried(f"ListJobs {name}"):
            answer = self._batch.list_jobs(jobQueue=self._queue, filters=[{"name": "JOB_NAME", "values": [name]}])
        found = (job["jobId"] for job in answer["jobSummaryList"] if job["jobName"] == name)
        return next((job_id for job_id in found if ":" not in job_id), None)

    def _request(self, claims: Claims, name: str, order: Order) -> dict[str, Any]:
        """An array job, or a plain one where it is about one batch: an array has two children at least."""
        settings, batches = order.settings, order.batches
        request: dict[str, Any] = {"jobName": name, "jobQueue": self._queue, "jobDefinition": self._definition}
        variables = replace(settings, indexes=None).to_environment()
        if len(batches) == 1:
            variables[BATCH] = batch_name(batches[0])
        else:
            request["arrayProperties"] = {"size": len(batches)}
            if batches != tuple(range(1, len(batches) + 1)):
                variables[INDEXES] = self._keep_indexes(claims, order)
        environment = [{"name": name, "value": value} for name, value in variables.items()]
        return {**request, "containerOverrides": {"environment": environment}, "propagateTags": True}

    def _keep_indexes(self, claims: Claims, order: Order) -> str:
        key = claims.key(order.token, "indexes.json")
        with retried(f"PutObject s3://{order.settings.in_bucket}/{key}"):
            self._s3.put_object(Bucket=order.settings.in_bucket, Key=key, Body=json.dumps(order.batches).encode())
        return key


def _is_refusal(error: RetryError) -> bool:
    """Whether AWS has said that it made no job; being busy is no such word, nor is no answer at all."""
    cause = error.__cause__
    if not isinstance(cause, ClientError) or status_of(cause) >= 500:
        return False
    return code_of(cause) not in THROTTLED
