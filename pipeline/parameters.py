"""Secrets that lie in AWS Systems Manager's parameter store, where a variable says `ssm:/name`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.settings import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def parameter_reader(make_client: Callable[[], SSMClient]) -> Callable[[str], str]:
    """What reads a parameter by its name, decrypted; the client is made when the first one is asked for.

    It raises SettingsError for a parameter that is not there or may not be read.
    """

    def read(name: str) -> str:
        try:
            return make_client().get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        except (ClientError, BotoCoreError) as error:
            raise SettingsError(
                f"ssm:{name} cannot be read: {error}. Make it with `aws ssm put-parameter --type SecureString`, "
                "and allow ssm:GetParameter on it."
            ) from error

    return read
