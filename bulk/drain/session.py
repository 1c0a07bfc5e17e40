"""Where the drainer acts, found as by all commands, but with botocore alone and with `config/.env`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cli.arguments import Choice
from cli.credentials import read_env_file, setting
from cli.state import open_state
from cli.targets import Resolver, Target
from pipeline.clients import CoreSession, config
from pipeline.settings import home

_KEY_PARTS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def env_file_of(environ: Mapping[str, str]) -> dict[str, str]:
    """What `config/.env` says, and of `.env` what it leaves open; keys always come from one of them as a whole."""
    own, shared = (read_env_file(home(environ) / path) for path in ("config/.env", ".env"))
    if any(setting(own, name) for name in _KEY_PARTS):
        shared = {name: value for name, value in shared.items() if name.upper() not in _KEY_PARTS}
    return {**{name.lower(): value for name, value in shared.items()}, **{name.lower(): own[name] for name in own}}


def find_target(
    choice: Choice, environ: Mapping[str, str], env_file: Mapping[str, str], say: Callable[[str], None]
) -> Target:
    """The target of all commands; the state is closed again before a drain that may take days begins."""
    folder = home(environ)
    with open_state(folder) as shelf:
        resolver = Resolver(environ=environ, home=folder, say=say, env_file=env_file, wrap=CoreSession)
        return resolver.resolve(choice, shelf)


def s3_client(target: Target, *, connections: int) -> Any:
    from botocore.config import Config

    # We take the checksums ourselves, of what is on the disk too.
    options = config(connections=connections, endpoint_url=target.endpoint_url).merge(
        Config(response_checksum_validation="when_required")
    )
    return target.session.client("s3", endpoint_url=target.endpoint_url, region_name=target.region, config=options)
