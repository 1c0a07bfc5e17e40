"""The clients of one target, each made when it is first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.targets import Target
from pipeline.clients import MAX_ATTEMPTS, make_client

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

#: How many threads share a client in a folder upload, and so how many connections it keeps.
CONNECTIONS = 16
#: On AWS, which throttles setups and uploads of many at once: about a minute of patience. A local port that is closed
#: stays closed.
ATTEMPTS = 8


class Aws:
    """The AWS services that commands use, at one target."""

    def __init__(self, target: Target) -> None:
        self.target = target

    @cached_property
    def s3(self) -> S3Client:
        return self._make("s3")  # type: ignore[no-any-return]

    @cached_property
    def sqs(self) -> SQSClient:
        return self._make("sqs")  # type: ignore[no-any-return]

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self._make("dynamodb")  # type: ignore[no-any-return]

    @cached_property
    def functions(self) -> LambdaClient:
        return self._make("lambda")  # type: ignore[no-any-return]

    @cached_property
    def iam(self) -> IAMClient:
        return self._make("iam")  # type: ignore[no-any-return]

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self._make("logs")  # type: ignore[no-any-return]

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return self._make("cloudwatch")  # type: ignore[no-any-return]

    @cached_property
    def cloudfront(self) -> CloudFrontClient:
        return self._make("cloudfront")  # type: ignore[no-any-return]

    @cached_property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        return self._make("resourcegroupstaggingapi")  # type: ignore[no-any-return]

    @cached_property
    def batch(self) -> BatchClient:
        return self._make("batch")  # type: ignore[no-any-return]

    @cached_property
    def batch_once(self) -> BatchClient:
        """Sends nothing twice: a second SubmitJob would be a second job."""
        target = self.target
        return make_client(target.session, "batch", endpoint_url=target.endpoint_url, region=target.region, attempts=1)

    @cached_property
    def ec2(self) -> EC2Client:
        return self._make("ec2")  # type: ignore[no-any-return]

    @cached_property
    def ecr(self) -> ECRClient:
        return self._make("ecr")  # type: ignore[no-any-return]

    def _make(self, service: Any) -> Any:
        target = self.target
        return make_client(
            target.session,
            service,
            endpoint_url=target.endpoint_url,
            region=target.region,
            connections=CONNECTIONS,
            attempts=ATTEMPTS if target.is_aws else MAX_ATTEMPTS,
        )
