"""Whose credentials a command uses: key, secret and token always from one source, never mixed."""

from __future__ import annotations

import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from boto3.session import Session

#: What local requests are signed with, whatever the environment holds: real keys never leave for a local port.
LOCAL_KEY = LOCAL_SECRET = "test"

#: How AWS begins the access keys that are good for nothing without their token, such as those of AWS Academy.
TEMPORARY = "ASIA"


@dataclass(frozen=True)
class Keys:
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


def read_env_file(path: Path) -> dict[str, str]:
    """The lines of a `.env` file that have a value; none when there is no file. CommandError where it is no text."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    found = dotenv_values(stream=StringIO(_text(path)), interpolate=False)
    return {name: value for name, value in found.items() if value}


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        # PowerShell writes UTF-16 into a file that a command's output is led to.
        return data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(
            f"{path} is no text in UTF-8: save it as UTF-8, or copy .env.sample and fill it in"
        ) from error


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
        _refuse_half_of_temporary_ones(access_key, source, description)
        keys = Keys(access_key, secret_key, setting(source, "AWS_SESSION_TOKEN"))
        _refuse_several_lines(keys, description)
        return keys
    if not access_key and not secret_key:
        return None
    present, missing = "aws_access_key_id", "aws_secret_access_key"
    if not access_key:
        present, missing = missing, present
    raise CommandError(f"{description} has {present} but no {missing}: copy all lines, the token too", Exit.REFUSED)


def _refuse_several_lines(keys: Keys, description: str) -> None:
    """They become headers of requests; what is wrong with one is said without showing it."""
    values = {"access_key_id": keys.access_key, "secret_access_key": keys.secret_key, "session_token": keys.token or ""}
    for name, value in values.items():
        if not value.isprintable():
            text = f"the aws_{name} of {description} holds a line end or a control character"
            raise CommandError(f"{text}: copy it again, on one line", Exit.REFUSED)


def boto3_session(core: Any) -> Session:
    """What commands work with, unless they use botocore alone and have a wrap of their own."""
    from boto3.session import Session

    return Session(botocore_session=core)


def _refuse_half_of_temporary_ones(access_key: str, source: Mapping[str, str], description: str) -> None:
    """AWS would only say that it does not know the key."""
    if access_key.startswith(TEMPORARY) and not setting(source, "AWS_SESSION_TOKEN"):
        text = f"{description} has temporary credentials ({TEMPORARY}…) but no aws_session_token"
        raise CommandError(f"{text}: copy all three lines", Exit.REFUSED)


def aws_session(
    environ: Mapping[str, str],
    env_file: Mapping[str, str],
    profile: str | None,
    *,
    wrap: Callable[[Any], Any] = boto3_session,
) -> Any:
    """A session for AWS: `--profile`, then the environment, then `.env`, then what botocore finds by itself."""
    import botocore.session

    if profile:
        return wrap(botocore.session.Session(profile=profile))
    keys = keys_in(environ, "the environment")
    if keys is None and not setting(environ, "AWS_PROFILE"):
        keys = keys_in(env_file, ".env")
        profile = setting(env_file, "AWS_PROFILE")
    core = botocore.session.Session(profile=profile if keys is None else None)
    if keys is not None:
        core.set_credentials(keys.access_key, keys.secret_key, keys.token)
    return wrap(core)


def local_session(region: str, *, wrap: Callable[[Any], Any] = boto3_session) -> Any:
    """A session that knows the local keys and nothing of this machine's AWS files and variables."""
    import botocore.session

    nothing = (None, None, None, None)
    # A profile in the environment that does not exist would otherwise stop even a local command.
    core = botocore.session.Session(session_vars={"profile": nothing, "config_file": (None, None, os.devnull, None)})
    core.set_credentials(LOCAL_KEY, LOCAL_SECRET)
    core.set_config_variable("region", region)
    return wrap(core)
