"""Whose credentials a command uses: key, secret and token always from one source, never mixed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from boto3.session import Session

#: What local requests are signed with, whatever the environment holds: real keys never leave for a local port.
LOCAL_KEY = LOCAL_SECRET = "test"


@dataclass(frozen=True)
class Keys:
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


def read_env_file(path: Path) -> dict[str, str]:
    """The lines of a `.env` file that have a value; none when there is no file."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}


def setting(source: Mapping[str, str], *names: str) -> str | None:
    """The first of `names` that has a value, in AWS's spelling or in lower case, as AWS Academy prints them."""
    for name in names:
        value = source.get(name) or source.get(name.lower())
        if value:
            return value.strip()
    return None


def keys_in(source: Mapping[str, str], description: str) -> Keys | None:
    """The keys of one source, None when it has none; CommandError when one half of the pair is missing."""
    access_key = setting(source, "AWS_ACCESS_KEY_ID")
    secret_key = setting(source, "AWS_SECRET_ACCESS_KEY")
    if access_key and secret_key:
        return Keys(access_key, secret_key, setting(source, "AWS_SESSION_TOKEN"))
    if not access_key and not secret_key:
        return None
    present, missing = "aws_access_key_id", "aws_secret_access_key"
    if not access_key:
        present, missing = missing, present
    raise CommandError(f"{description} has {present} but no {missing}: copy all lines, the token too", Exit.REFUSED)


def aws_session(environ: Mapping[str, str], env_file: Mapping[str, str], profile: str | None) -> Session:
    """A session for AWS: `--profile`, then the environment, then `.env`, then what boto3 finds by itself."""
    from boto3.session import Session

    if profile:
        return Session(profile_name=profile)
    keys = keys_in(environ, "the environment")
    if keys is None and not setting(environ, "AWS_PROFILE"):
        keys = keys_in(env_file, ".env")
        profile = setting(env_file, "AWS_PROFILE")
    if keys is None:
        return Session(profile_name=profile)
    return Session(
        aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret_key, aws_session_token=keys.token
    )


def local_session(region: str) -> Session:
    """A session that knows the local keys and nothing of this machine's AWS files and variables."""
    import botocore.session
    from boto3.session import Session

    nothing = (None, None, None, None)
    # A profile in the environment that does not exist would otherwise stop even a local command.
    core = botocore.session.Session(session_vars={"profile": nothing, "config_file": (None, None, os.devnull, None)})
    return Session(
        aws_access_key_id=LOCAL_KEY, aws_secret_access_key=LOCAL_SECRET, region_name=region, botocore_session=core
    )
