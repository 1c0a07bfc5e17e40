"""AWS clients with our timeouts and retries.

botocore is imported when the first client is made, not before: a command that only prints its help stays instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
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
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 60
#: The first try included; "standard" waits between them with jitter and repeats only what may be repeated.
MAX_ATTEMPTS = 4
_LOOPBACK = ("http://127.0.0.1:", "http://localhost:")


def config(*, connections: int = 10, endpoint_url: str | None = None, attempts: int = MAX_ATTEMPTS) -> Config:
    """What every client is made with. `connections`: how many threads may share the client without waiting.

    `attempts`: 1 for calls that must not be sent twice.
    """
    from botocore.config import Config

    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=connections,
        tcp_keepalive=True,
        # An office proxy in the environment cannot reach this machine's own loopback; None means: as the environment.
        proxies={} if endpoint_url and endpoint_url.startswith(_LOOPBACK) else None,
    )


class CoreSession:
    """A session of botocore's with what we ask a session of boto3's for; boto3 itself costs 20 ms of CPU more."""

    def __init__(self, core: Any) -> None:
        self._core = core

    @property
    def region_name(self) -> str | None:
        return self._core.get_config_variable("region")  # type: ignore[no-any-return]

    def get_credentials(self) -> Any:
        return self._core.get_credentials()

    def client(self, service: str, **options: Any) -> Any:
        return self._core.create_client(service, **options)


def new_session() -> CoreSession:
    """A session from the environment. Clients of one session share what it reads: each more costs 25 ms of CPU."""
    import botocore.session

    return CoreSession(botocore.session.Session())


# fmt: off
@overload
def make_client(session: Session | CoreSession | None, service: Literal["s3"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> S3Client: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["sqs"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> SQSClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["dynamodb"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> DynamoDBClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["lambda"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> LambdaClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["iam"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> IAMClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["logs"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> CloudWatchLogsClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["sts"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> STSClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["ssm"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> SSMClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["cloudfront"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> CloudFrontClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["cloudwatch"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> CloudWatchClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["resourcegroupstaggingapi"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10) -> ResourceGroupsTaggingAPIClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["batch"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10, attempts: int = MAX_ATTEMPTS) -> BatchClient: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["ec2"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10, attempts: int = MAX_ATTEMPTS) -> EC2Client: ...  # noqa: E501
@overload
def make_client(session: Session | CoreSession | None, service: Literal["ecr"], *, endpoint_url: str | None = None, region: str | None = None, connections: int = 10, attempts: int = MAX_ATTEMPTS) -> ECRClient: ...  # noqa: E501
# fmt: on
def make_client(
    session: Session | CoreSession | None,
    service: Any,
    *,
    endpoint_url: str | None = None,
    region: str | None = None,
    connections: int = 10,
    attempts: int = MAX_ATTEMPTS,
) -> Any:
    """A client of `service`, safe to share between threads; without a session, one from the environment."""
    return (session or new_session()).client(
        service,
        endpoint_url=endpoint_url,
        region_name=region,
        config=config(connections=connections, endpoint_url=endpoint_url, attempts=attempts),
    )
