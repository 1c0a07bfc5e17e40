"""The one place where botocore's errors become the pipeline's.

Whatever AWS answers that no caller expects may go away by itself (throttling, a fresh policy, a lost connection), so it
is a RetryError; a permission that never comes ends in the dead-letter queue, where it is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from pipeline.errors import RetryError

#: Seconds: whoever asks for more than a quarter of an hour does not get it.
LONGEST_WAIT = 900
#: What AWS's services call being asked too often; some say it with 400, like a refusal.
THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


@contextmanager
def retried(call: str) -> Iterator[None]:
    """Run one AWS call; `call` names it and its object in the error. Raises RetryError for all of botocore's errors."""
    try:
        yield
    except ClientError as error:
        raise RetryError(f"{call}: {code_of(error)}", after=_retry_after(error)) from error
    except (BotoCoreError, ResponseParserError, HTTPError) as error:
        # The last two are none of botocore's own errors: an answer that was damaged on its way, and a body that ended
        # early while its checksum was being taken.
        raise RetryError(f"{call}: {error}") from error


def code_of(error: ClientError) -> str:
    """AWS's word for what went wrong, such as "NoSuchKey"; HEAD answers have no body and give the status, "404"."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _retry_after(error: ClientError) -> float | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    value = headers.get("retry-after", "")
    return min(LONGEST_WAIT, float(value)) if value.isdecimal() else None
