"""AWS clients with our timeouts and retries.

botocore is imported when the first client is made, not before: a command that only prints its help stays instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack, overload
from urllib.parse import urlsplit

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

    _Session: TypeAlias = "Session | CoreSession | None"

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 60
#: The first try included; "standard" waits between them with jitter and repeats only what may be repeated.
MAX_ATTEMPTS = 4
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_loopback(url: str | None) -> bool:
    """Whether this machine itself answers at `url`: no proxy reaches it, and it is asked with no real keys."""
    return urlsplit(url or "").hostname in _LOOPBACK


def config(
    *,
    connections: int = 10,
    endpoint_url: str | None = None,
    attempts: int = MAX_ATTEMPTS,
    read_timeout: int = READ_TIMEOUT,
) -> Config:
    """What every client is made with. `connections`: how many threads may share the client without waiting.

    `attempts`: 1 for calls that must not be sent twice. `read_timeout`: seconds of silence after which a connection is
    given up; together they have to end well before the function that waits.
    """
    from botocore.config import Config

    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=connections,
        tcp_keepalive=True,
        # An office proxy in the environment cannot reach this machine's own loopback; None means: as the environment.
        proxies={} if is_loopback(endpoint_url) else None,
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


class _Options(TypedDict, total=False):
    endpoint_url: str | None
    region: str | None
    connections: int
    attempts: int
    read_timeout: int


def new_session() -> CoreSession:
    """A session from the environment. Clients of one session share what it reads: each more costs 25 ms of CPU."""
    import botocore.session

    return CoreSession(botocore.session.Session())


@overload
def make_client(session: _Session, service: Literal["s3"], **options: Unpack[_Options]) -> S3Client: ...
@overload
def make_client(session: _Session, service: Literal["sqs"], **options: Unpack[_Options]) -> SQSClient: ...
@overload
def make_client(session: _Session, service: Literal["dynamodb"], **options: Unpack[_Options]) -> DynamoDBClient: ...
@overload
def make_client(session: _Session, service: Literal["lambda"], **options: Unpack[_Options]) -> LambdaClient: ...
@overload
def make_client(session: _Session, service: Literal["iam"], **options: Unpack[_Options]) -> IAMClient: ...
@overload
def make_client(session: _Session, service: Literal["logs"], **options: Unpack[_Options]) -> CloudWatchLogsClient: ...
@overload
def make_client(session: _Session, service: Literal["sts"], **options: Unpack[_Options]) -> STSClient: ...
@overload
def make_client(session: _Session, service: Literal["ssm"], **options: Unpack[_Options]) -> SSMClient: ...
@overload
def make_client(session: _Session, service: Literal["cloudfront"], **options: Unpack[_Options]) -> CloudFrontClient: ...
@overload
def make_client(session: _Session, service: Literal["cloudwatch"], **options: Unpack[_Options]) -> CloudWatchClient: ...
@overload
def make_client(
    session: _Session, service: Literal["resourcegroupstaggingapi"], **options: Unpack[_Options]
) -> ResourceGroupsTaggingAPIClient: ...
@overload
def make_client(session: _Session, service: Literal["batch"], **options: Unpack[_Options]) -> BatchClient: ...
@overload
def make_client(session: _Session, service: Literal["ec2"], **options: Unpack[_Options]) -> EC2Client: ...
@overload
def make_client(session: _Session, service: Literal["ecr"], **options: Unpack[_Options]) -> ECRClient: ...
def make_client(
    session: _Session,
    service: Any,
    *,
    endpoint_url: str | None = None,
    region: str | None = None,
    connections: int = 10,
    attempts: int = MAX_ATTEMPTS,
    read_timeout: int = READ_TIMEOUT,
) -> Any:
    """A client of `service`, safe to share between threads; without a session, one from the environment."""
    return (session or new_session()).client(
        service,
        endpoint_url=endpoint_url,
        region_name=region,
        config=config(connections=connections, endpoint_url=endpoint_url, attempts=attempts, read_timeout=read_timeout),
    )
