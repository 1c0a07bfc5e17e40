"""Trying again what has no place at the end of a queue: the file list before the work, the results after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import botocore.exceptions as aws

from cli.aws_faults import LOGINS
from pipeline.aws_errors import THROTTLED, code_of, status_of
from pipeline.errors import RetryError

T = TypeVar("T")
#: No usable credentials.
CREDENTIALS = (aws.NoCredentialsError, aws.PartialCredentialsError, *LOGINS)
_TOO_MANY = 429
#: What AWS says with 4xx, and yet may take back.
_PASSING = THROTTLED | {"RequestTimeout"}
_PASSING_STATUS = (408, 409)
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)


def patiently(
    call: Callable[[], T], *, pauses: Sequence[float] = PAUSES, sleep: Callable[[float], object] = time.sleep
) -> T:
    """The answer of `call`, tried again while it raises a RetryError that may pass by itself."""
    for pause in pauses:
        try:
            return call()
        except RetryError as error:
            if _is_for_good(error.__cause__):
                raise
        sleep(pause)
    return call()


def _is_for_good(cause: BaseException | None) -> bool:
    """Whether AWS has understood and said no, or there are no credentials: waiting changes neither."""
    if isinstance(cause, aws.ClientError):
        passing = code_of(cause) in _PASSING or status_of(cause) in _PASSING_STATUS
        return 400 <= status_of(cause) < _TOO_MANY and not passing
    return isinstance(cause, CREDENTIALS)
