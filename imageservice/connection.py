"""Clients with the older service's variables: keys for S3 and for SQS apart, or whatever boto3 finds."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from cli.aws_words import FORBIDDEN
from cli.credentials import aws_session, local_session, read_env_file
from cli.exits import CommandError, Exit
from cli.local import START
from pipeline.aws_errors import code_of
from pipeline.clients import is_loopback, make_client
from pipeline.image_service.settings import endpoint, region, region_in
from pipeline.settings import SettingsError, home

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

#: The queue that counts where QUEUE_URL is not set, in the account of the credentials.
DEFAULT_QUEUE = "ImageQueueTest.fifo"
_EXAMPLE = "https://sqs.<region>.amazonaws.com/<account>/ImageQueue.fifo"
_DEFAULT_REGION = "us-east-1"
_ABSENT = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_PROBE_TIMEOUT = 5


def s3_client(environ: Mapping[str, str]) -> S3Client:
    queue_url = environ.get("QUEUE_URL", "")
    where = region(environ, queue_url) or _DEFAULT_REGION
    return make_client(_session("S3", environ, where), "s3", endpoint_url=_endpoint(environ), region=where)


def sqs_client(environ: Mapping[str, str]) -> SQSClient:
    # A queue answers in its own region only, whatever region everything else is in.
    queue_url = environ.get("QUEUE_URL", "")
    where = region_in(queue_url) or region(environ) or _DEFAULT_REGION
    return make_client(_session("SQS", environ, where), "sqs", endpoint_url=_endpoint(environ), region=where)


def ssm_client(environ: Mapping[str, str]) -> SSMClient:
    """For secrets; they lie where the rest does that is not the queue's."""
    where = region(environ, environ.get("QUEUE_URL", "")) or _DEFAULT_REGION
    return make_client(_session("SQS", environ, where), "ssm", endpoint_url=_endpoint(environ), region=where)


def checked_queue_url(environ: Mapping[str, str], sqs: SQSClient) -> str:
    """`queue_url`, once it is sure that there is such a queue; SettingsError where there is none."""
    url = queue_url(environ, sqs)
    if not url.startswith(("https://", "http://")):
        raise SettingsError(f"QUEUE_URL={url!r} is no address. One looks like {_EXAMPLE}")
    try:
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    except ClientError as error:
        if code_of(error) in _ABSENT:
            raise SettingsError(f"QUEUE_URL={url}: there is no such queue. One looks like {_EXAMPLE}") from error
        # Older users of the queue may receive from it, and not ask for its attributes.
        if code_of(error) not in FORBIDDEN:
            raise
    return url


def checked_bucket(s3: S3Client, bucket: str) -> None:
    """SettingsError where the bucket does not exist; who may not look is believed."""
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchBucket"):
            raise SettingsError(
                f"IMAGES_BUCKET={bucket}: there is no such bucket. Make it, or name another."
            ) from error
        if code_of(error) not in ("403", *FORBIDDEN):
            raise


def queue_url(environ: Mapping[str, str], sqs: SQSClient) -> str:
    """QUEUE_URL, else the default queue of this account; SettingsError where there is neither."""
    told = environ.get("QUEUE_URL", "").strip()
    if told:
        return told
    try:
        return sqs.get_queue_url(QueueName=DEFAULT_QUEUE)["QueueUrl"]
    except ClientError as error:
        if code_of(error) not in _ABSENT:
            raise
    raise SettingsError(
        f"QUEUE_URL is not set, and this account has no queue {DEFAULT_QUEUE}. Set it: export QUEUE_URL={_EXAMPLE}"
    )


def _endpoint(environ: Mapping[str, str]) -> str | None:
    address = endpoint(environ, environ.get("QUEUE_URL", ""))
    if is_loopback(address):
        _refuse_closed_port(address or "")
    return address


def _refuse_closed_port(address: str) -> None:
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), _PROBE_TIMEOUT).close()
    except OSError as error:
        text = f"nothing answers at {address}. Is it the local cloud? {START}"
        raise CommandError(text, Exit.REFUSED) from error


def _session(service: Literal["S3", "SQS"], environ: Mapping[str, str], where: str) -> Session:
    """Both keys of one service, and no token with them: they belong to users, not to roles. None of them goes to a
    port of this machine."""
    access_name, secret_name = f"AWS_ACCESS_KEY_{service}", f"AWS_SECRET_KEY_{service}"
    access_key, secret_key = environ.get(access_name, "").strip(), environ.get(secret_name, "").strip()
    if bool(access_key) != bool(secret_key):
        missing = secret_name if access_key else access_name
        raise CommandError(f"{missing} is not set: set both, or neither for what boto3 finds", Exit.REFUSED)
    if is_loopback(endpoint(environ, environ.get("QUEUE_URL", ""))):
        return cast("Session", local_session(where))
    if access_key:
        from boto3.session import Session

        return Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=where)
    return cast("Session", aws_session(environ, read_env_file(home(environ) / ".env"), None))
