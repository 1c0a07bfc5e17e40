"""What the errors of boto3 and botocore mean to a person."""

from __future__ import annotations

import sys

import botocore.exceptions as aws
from botocore.parsers import ResponseParserError

from cli.aws_words import EXPIRED, FORBIDDEN, GET_CREDENTIALS, UNKNOWN, is_refused_head
from cli.exits import CommandError, Exit

#: Characters of an answer that is none.
_SHOWN = 300
#: Somebody, or a machine, has to sign in again. That of `aws login` is younger than the oldest botocore here.
LOGINS = (
    aws.SSOError,
    getattr(aws, "LoginError", aws.SSOError),
    aws.TokenRetrievalError,
    aws.NoAuthTokenError,
    aws.CredentialRetrievalError,
    aws.MetadataRetrievalError,
    aws.RefreshWithMFAUnsupportedError,
    aws.MissingDependencyException,
)
#: What cannot be read in the files of the AWS CLI.
_BROKEN_FILES = (
    aws.ConfigNotFound,
    aws.ConfigParseError,
    aws.InvalidConfigError,
    aws.InvalidDefaultsMode,
    aws.InvalidProxiesConfigError,
    aws.InvalidRetryConfigurationError,
)


def explained(error: Exception) -> CommandError | None:
    """The fault in one line, with its cure; None where it is none of these."""
    if _is_failed_upload(error) and isinstance(error.__context__, Exception):
        return explained(error.__context__)
    if isinstance(error, aws.ClientError):
        return _refused(error)
    if isinstance(error, aws.ProfileNotFound):
        return CommandError(f"{error}: name one of `aws configure list-profiles`")
    if isinstance(error, (aws.NoCredentialsError, aws.PartialCredentialsError)):
        return CommandError(f"no usable AWS credentials: {GET_CREDENTIALS}", Exit.REFUSED)
    if isinstance(error, aws.InvalidRegionError):
        return CommandError(f"{error}: a region is called like eu-west-1")
    if isinstance(error, (aws.ConnectionError, aws.HTTPClientError)):
        return CommandError(f"{error}: check the network, the region and the address", Exit.REFUSED)
    return _of_the_files(error) or _no_answer(error)


def _of_the_files(error: Exception) -> CommandError | None:
    """A login that is over, and what cannot be read in the files of the AWS CLI."""
    if isinstance(error, LOGINS):
        text = f"{' '.join(str(error).split())}: sign in again, for example with `aws sso login` or `aws login`"
        return CommandError(text, Exit.REFUSED)
    if isinstance(error, _BROKEN_FILES):
        return CommandError(f"{' '.join(str(error).split())}: mend ~/.aws/config, or name another profile")
    return None


def _no_answer(error: Exception) -> CommandError | None:
    """What answers at the address is not AWS: a proxy that shows a page of its own, or another server."""
    if not isinstance(error, ResponseParserError):
        return None
    text = f"the address did not answer as AWS does: {' '.join(str(error).split())[:_SHOWN]}"
    return CommandError(f"{text}: check AWS_ENDPOINT_URL, and what stands between here and AWS", Exit.REFUSED)


def _is_failed_upload(error: Exception) -> bool:
    """boto3's own error for a file that could not be uploaded; what AWS said is its context."""
    boto3 = sys.modules.get("boto3.exceptions")
    return boto3 is not None and isinstance(error, boto3.S3UploadFailedError)


def _refused(error: aws.ClientError) -> CommandError:
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
