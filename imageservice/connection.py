"""Clients with the older service's variables: keys for S3 and for SQS apart, or whatever boto3 finds."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from cli.credentials import aws_session, local_session, read_env_file
from cli.exits import CommandError, Exit
from cli.local import START
from pipeline.aws_errors import code_of
from pipeline.clients import make_client
from pipeline.image_settings import endpoint, is_loopback, region, region_in
from pipeline.settings import SettingsError, home

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

#: The queue that counts where QUEUE_URL is not set, in the account of the credentials.
DEFAULT_QUEUE = "ImageQueueTest.fifo"
_DEFAULT_REGION = "us-east-1"
_ABSENT = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_PROBE_TIMEOUT = 5


def s3_client(environ: Mapping[str, str]) -> S3Client:
    queue_url = environ.get("QUEUE_URL", "")
    where = region(environ, queue_url) or _DEFAULT_REGION
    return make_client(_session(environ, "S3", where), "s3", endpoint_url=_endpoint(environ), region=where)


def sqs_client(environ: Mapping[str, str]) -> SQSClient:
    # A queue answers in its own region only, whatever region everything else is in.
    queue_url = environ.get("QUEUE_URL", "")
    where = region_in(queue_url) or region(environ) or _DEFAULT_REGION
    return make_client(_session(environ, "SQS", where), "sqs", endpoint_url=_endpoint(environ), region=where)


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
        f"QUEUE_URL is not set, and this account has no queue {DEFAULT_QUEUE}. "
        "Set it: export QUEUE_URL=https://sqs.<region>.amazonaws.com/<account>/ImageQueue.fifo"
    )


def _endpoint(environ: Mapping[str, str]) -> str | None:
    address = endpoint(environ, environ.get("QUEUE_URL", ""))
    if is_loopback(address):
        _refuse_closed_port(address or "")
    return address


def _refuse_closed_port(address: str) -> None:
    parts = urlsplit(address)
    with socket.socket() as probe:
        probe.settimeout(_PROBE_TIMEOUT)
        closed = probe.connect_ex((parts.hostname or "", parts.port or 80)) != 0
    if closed:
        raise CommandError(f"nothing answers at {address}. Is it the local cloud? {START}", Exit.REFUSED)


def _session(environ: Mapping[str, str], service: Literal["S3", "SQS"], where: str) -> Session:
    """Both keys of one service, and no token with them: they belong to users, not to roles."""
    access_name, secret_name = f"AWS_ACCESS_KEY_{service}", f"AWS_SECRET_KEY_{service}"
    access_key, secret_key = environ.get(access_name, "").strip(), environ.get(secret_name, "").strip()
    if bool(access_key) != bool(secret_key):
        missing = secret_name if access_key else access_name
        raise CommandError(f"{missing} is not set: set both, or neither for what boto3 finds", Exit.REFUSED)
    if access_key:
        from boto3.session import Session

        return Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=where)
    if is_loopback(endpoint(environ, environ.get("QUEUE_URL", ""))):
        return cast("Session", local_session(where))
    return cast("Session", aws_session(environ, read_env_file(home(environ) / ".env"), None))
