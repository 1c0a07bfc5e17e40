"""AWS Batch in memory (moto), with faults at a call and children that fail when a test says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import ClientError, ConnectionClosedError
from moto import mock_aws
from moto.batch.models import batch_backends

from pipeline.batch.jobs import BatchJobs
from pipeline.batch.settings import BatchSettings

REGION = "us-east-1"
ACCOUNT = "123456789012"
LIST = {f"batch_{number}": [f"s3://photos/{number}.jpg"] for number in range(1, 6)}
SETTINGS = BatchSettings(
    region=REGION, in_bucket="lists", json_location="may.json", out_bucket="out", out_key="compressed"
)


class BatchAccount:
    """A queue, a definition, a list of five batches and a bucket for outputs; `waits`: the seconds nobody slept."""

    def __init__(self) -> None:
        self.batch: Any = boto3.client("batch", region_name=REGION)
        self.s3: Any = boto3.client("s3", region_name=REGION)
        self.waits: list[float] = []
        self.now = 1000.0
        self._faults: list[str] = []
        for bucket in ("lists", "out"):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_object(Bucket="lists", Key="may.json", Body=json.dumps(LIST).encode())
        self._create_queue()

    def _create_queue(self) -> None:
        ec2: Any = boto3.client("ec2", region_name=REGION)
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.batch.create_compute_environment(
            computeEnvironmentName="environment",
            type="MANAGED",
            state="ENABLED",
            computeResources={"type": "FARGATE", "maxvCpus": 4, "subnets": [subnet], "securityGroupIds": [group]},
            serviceRole=role,
        )
        self.batch.create_job_queue(
            jobQueueName="queue",
            state="ENABLED",
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "environment"}],
        )
        self.batch.register_job_definition(
            jobDefinitionName="definition",
            type="container",
            platformCapabilities=["FARGATE"],
            containerProperties={
                "image": "image",
                "executionRoleArn": role,
                "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
            },
        )

    def jobs(self) -> BatchJobs:
        """A submitter of its own, as another process would have."""
        once: Any = boto3.client("batch", region_name=REGION)
        once.meta.events.register("before-call.batch.SubmitJob", self._before)
        once.meta.events.register("after-call.batch.SubmitJob", self._after)
        return BatchJobs(
            self.batch, once, self.s3, queue="queue", definition="definition", sleep=self._sleep, clock=lambda: self.now
        )

    def _before(self, **_: Any) -> None:
        fault = self._fault
        if fault == "reset":
            self._faults.pop(0)
            raise ConnectionClosedError(endpoint_url="batch")
        if fault and fault != "lost":
            self._faults.pop(0)
            answer: Any = {"Error": {"Code": fault}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(answer, "SubmitJob")

    def _after(self, **_: Any) -> None:
        if self._fault == "lost":
            self._faults.pop(0)
            raise ConnectionClosedError(endpoint_url="batch")

    @property
    def _fault(self) -> str | None:
        return self._faults[0] if self._faults else None

    def plan(self, *faults: str) -> None:
        """What meets the next calls of SubmitJob: "lost" (done, no answer), "reset" (not done), or an error code."""
        self._faults = list(faults)

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def submitted(self) -> list[Any]:
        """All jobs there are. AWS lists no children of array jobs here, moto does."""
        every = [{"name": "JOB_NAME", "values": ["*"]}]
        jobs = self.batch.list_jobs(jobQueue="queue", filters=every)["jobSummaryList"]
        return [job for job in jobs if ":" not in job["jobId"]]

    def end(self, job_id: str, *indexes: int) -> None:
        """Let these children of an array job fail, or the plain job itself; all others have succeeded."""
        job = batch_backends[ACCOUNT][REGION].get_job_by_id(job_id)
        for each in [job._child_jobs[index] for index in indexes] if job._child_jobs else [job]:
            each.status = "FAILED"
            each.job_stopped_reason = "Essential container in task exited"
        if job._child_jobs:
            job.status = "FAILED" if indexes else "SUCCEEDED"

    def refuse(self, job_id: str, reason: str) -> None:
        """Let an array job end before it has children, as AWS describes it; moto makes them at once."""

        def ended(parsed: Any, **_: Any) -> None:
            for job in parsed["jobs"]:
                if job["jobId"] == job_id:
                    job |= {"status": "FAILED", "statusReason": reason}
                    job["arrayProperties"]["statusSummary"] = {}

        self.batch.meta.events.register("after-call.batch.DescribeJobs", ended)


@contextmanager
def batch_account(environ_without: Any) -> Iterator[BatchAccount]:
    environ_without("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(config={"batch": {"use_docker": False}}):
        yield BatchAccount()
