"""How a command ends: the exit codes, and what a person reads instead of a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

from cli.console import never_fail_to_print, printable
from cli.signals import Terminated, sigterm_raises
from pipeline.errors import RetryError
from pipeline.settings import SettingsError


class Exit(IntEnum):
    DONE = 0
    SOME_FAILED = 1
    WRONG_USE = 2
    INTERRUPTED = 130
    TERMINATED = 143
    REFUSED = 254


class CommandError(Exception):
    """A foreseeable fault: one line that names the thing and the cure, and the exit code."""

    def __init__(self, text: str, exit_code: Exit = Exit.WRONG_USE) -> None:
        super().__init__(text)
        self.text = text
        self.exit_code = exit_code


#: What AWS calls credentials that are no longer good, that it does not know, and that may not do this.
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
UNKNOWN = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
FORBIDDEN = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}

#: What a disk or a folder may say to any program, and the cure.
_NO_RIGHT = ("make it accessible, or name another place", Exit.WRONG_USE)
_NO_ROOM = ("make room, or name another place", Exit.SOME_FAILED)
_OF_THE_DISK = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _NO_RIGHT),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _NO_ROOM),
    errno.EFBIG: ("raise the limit on the size of files (ulimit -f)", Exit.SOME_FAILED),
    errno.EIO: ("look after the disk, or name another place", Exit.SOME_FAILED),
}
#: Characters of an answer that is none.
_SHOWN = 300
GET_CREDENTIALS = "put new ones into .env (see .env.sample) or run `aws configure`; without an account use --local"


def run(main: Callable[[], int]) -> int:
    """Call `main` and return its exit code; a foreseeable fault becomes one line on stderr and its code."""
    never_fail_to_print()
    try:
        with sigterm_raises(), _flushed_stdout():
            return main()
    except KeyboardInterrupt:
        return _end("interrupted; run the same command again to go on", Exit.INTERRUPTED)
    except Terminated:
        return _end("terminated; run the same command again to go on", Exit.TERMINATED)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except Exception as error:
        fault = explain(error)
        if fault is None:
            raise
        return _end(f"error: {fault.text}", fault.exit_code)


def explain(error: Exception) -> CommandError | None:
    """The one place that puts the errors of boto3 into words; None means: this is a bug, show its trace."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, SettingsError):
        return CommandError(str(error))
    if isinstance(error, RetryError):
        return _not_now(error)
    if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
        return _no_place(error, *_OF_THE_DISK[error.errno])
    if "botocore" not in sys.modules:
        return None
    import botocore.exceptions as aws

    if _is_failed_upload(error) and isinstance(error.__context__, Exception):
        return explain(error.__context__)

    if isinstance(error, aws.ClientError):
        return _refused(error)
    if isinstance(error, aws.ProfileNotFound):
        return CommandError(f"{error}: name one of `aws configure list-profiles`")
    if isinstance(error, (aws.NoCredentialsError, aws.PartialCredentialsError)):
        return CommandError(f"no usable AWS credentials: {GET_CREDENTIALS}", Exit.REFUSED)
    if isinstance(error, (aws.SSOError, aws.TokenRetrievalError, aws.CredentialRetrievalError)):
        return CommandError(f"{error}: sign in again, for example with `aws sso login`", Exit.REFUSED)
    if isinstance(error, aws.InvalidRegionError):
        return CommandError(f"{error}: a region is called like eu-west-1")
    if isinstance(error, (aws.ConnectionError, aws.HTTPClientError)):
        return CommandError(f"{error}: check the network, the region and the address", Exit.REFUSED)
    return _no_answer(error)


def _no_answer(error: Exception) -> CommandError | None:
    """What answers at the address is not AWS: a proxy that shows a page of its own, or another server."""
    from botocore.parsers import ResponseParserError

    if not isinstance(error, ResponseParserError):
        return None
    text = f"the address did not answer as AWS does: {' '.join(str(error).split())[:_SHOWN]}"
    return CommandError(f"{text}: check AWS_ENDPOINT_URL, and what stands between here and AWS", Exit.REFUSED)


def _no_place(error: OSError, cure: str, exit_code: Exit) -> CommandError:
    where = f"{error.filename}: " if error.filename else ""
    return CommandError(f"{where}{error.strerror}: {cure}", exit_code)


def _is_failed_upload(error: Exception) -> bool:
    """boto3's own error for a file that could not be uploaded; what AWS said is its context."""
    boto3 = sys.modules.get("boto3.exceptions")
    return boto3 is not None and isinstance(error, boto3.S3UploadFailedError)


def _not_now(error: RetryError) -> CommandError:
    """The pipeline's edges call everything that AWS may answer better later the same; here the cause says more."""
    cause = error.__cause__
    known = explain(cause) if isinstance(cause, Exception) else None
    return known or CommandError(f"{error.reason}: try again later", Exit.REFUSED)


def _refused(error: Any) -> CommandError:
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "") or code
    if code in EXPIRED:
        return CommandError(f"the AWS credentials have expired: {GET_CREDENTIALS}", Exit.REFUSED)
    if code in UNKNOWN:
        return CommandError(f"AWS does not accept these credentials ({code}): {GET_CREDENTIALS}", Exit.REFUSED)
    if is_refused_head(error):
        message = "they are no longer good, or may not read there"
    if code in FORBIDDEN or is_refused_head(error):
        text = f"these credentials may not call {error.operation_name}: {message}"
        return CommandError(f"{text}. Use others, or ask the owner of the account for this right", Exit.REFUSED)
    return CommandError(f"{error.operation_name} was refused: {code}: {message}", Exit.REFUSED)


def is_refused_head(error: Any) -> bool:
    """Whether S3 refused a HEAD, whose answer has no body: 403 without a right, 400 with expired credentials."""
    return error.operation_name.startswith("Head") and error.response.get("Error", {}).get("Code") in ("400", "403")


def _end(line: str, exit_code: Exit) -> Exit:
    # It may quote a key, a line of a list, or AWS.
    print(printable(line), file=sys.stderr)
    return exit_code


@contextmanager
def _flushed_stdout() -> Iterator[None]:
    """Find out here, not at the interpreter's end, whether the reader has gone: help texts wait in the buffer."""
    try:
        yield
    finally:
        sys.stdout.flush()
