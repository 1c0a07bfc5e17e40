"""Where a command acts.

In this order: `--local` / `--aws`; what `setup.py` recorded as `current`; AWS_ENDPOINT_URL; credentials, where there
are any; otherwise the local cloud, said in one line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import local, names
from cli.arguments import Choice
from cli.credentials import aws_session, boto3_session, local_session, read_env_file, setting
from cli.endpoints import foreign_endpoint, host_and_port
from cli.exits import CommandError
from cli.state import CURRENT
from pipeline.clients import is_loopback, make_client
from pipeline.settings import local_port

if TYPE_CHECKING:
    from boto3.session import Session

LOCAL = "local"
_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One deployment in one place. `place` is "local" or "<account>/<region>"; AWS has no `endpoint_url`."""

    place: str
    name: str
    account: str
    region: str
    endpoint_url: str | None
    profile: str | None = None
    session: Session = field(repr=False, compare=False)

    @property
    def prefix(self) -> str:
        """Where the state keeps this deployment's resources."""
        return f"{self.place}/{self.name}"

    @property
    def is_aws(self) -> bool:
        return self.endpoint_url is None

    @property
    def description(self) -> str:
        if self.place == LOCAL:
            return f"the local cloud at {self.endpoint_url}"
        return f"AWS account {self.account}, region {self.region}" + (f", at {self.endpoint_url}" * (not self.is_aws))

    def remember(self, shelf: MutableMapping[str, Any]) -> None:
        """Make this the target of commands that are not told another."""
        shelf[CURRENT] = {
            "place": self.place,
            "name": self.name,
            "region": self.region,
            "endpoint_url": self.endpoint_url,
            "profile": self.profile,
        }

    def forget(self, shelf: MutableMapping[str, Any]) -> None:
        if _is_current(shelf, self):
            del shelf[CURRENT]


def _is_current(shelf: Mapping[str, Any], target: Target) -> bool:
    current = shelf.get(CURRENT, {})
    return (current.get("place"), current.get("name")) == (target.place, target.name)


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """Finds the target. `start` opens the local cloud's port; only root commands have it.

    `env_file` takes the place of `.env`, and `wrap` makes a session of botocore's: for commands that have their own.
    """

    environ: Mapping[str, str]
    home: Path
    say: Callable[[str], None]
    start: Callable[[], None] | None = None
    env_file: Mapping[str, str] | None = None
    wrap: Callable[[Any], Any] = boto3_session
    reach: local.Reach = local.ensure_running

    def resolve(self, choice: Choice, shelf: Mapping[str, Any]) -> Target:
        """The target, reached and with known account; CommandError names what is wrong and how to mend it."""
        if choice.local and choice.profile:
            raise CommandError("--local needs no --profile: leave one of them out")
        env_file = read_env_file(self.home / ".env") if self.env_file is None else self.env_file
        if choice.local:
            return self._local(choice)
        if choice.aws or choice.profile:
            return self._aws(choice, env_file)
        if CURRENT in shelf:
            return self._current(choice, env_file, shelf[CURRENT])
        address = self._endpoint_url(env_file)
        if address:
            return self._at(address, choice, env_file)
        session = aws_session(self.environ, env_file, None, wrap=self.wrap)
        if session.get_credentials() is not None:
            return self._aws(choice, env_file)
        self.say(f"No AWS credentials found: using the local cloud at {self._local_endpoint} (--aws for AWS)")
        return self._local(choice)

    @property
    def _local_endpoint(self) -> str:
        return local.endpoint(local_port(self.environ))

    def _endpoint_url(self, env_file: Mapping[str, str]) -> str | None:
        return setting(self.environ, "AWS_ENDPOINT_URL") or setting(env_file, "AWS_ENDPOINT_URL")

    def _current(self, choice: Choice, env_file: Mapping[str, str], current: Mapping[str, Any]) -> Target:
        name = choice.name or current["name"]
        if current["place"] == LOCAL:
            return self._local(Choice(region=choice.region, name=name))
        merged = Choice(region=choice.region or current["region"], profile=current["profile"], name=name)
        address = current["endpoint_url"]
        target = self._at(address, merged, env_file) if address else self._aws(merged, env_file)
        account = current["place"].partition("/")[0]
        if target.account != account:
            text = f"the current deployment is in AWS account {account}, but the credentials are of {target.account}"
            raise CommandError(f"{text}: use the right ones, or say --aws to leave that deployment aside")
        return target

    def _local(self, choice: Choice) -> Target:
        if choice.region not in (None, local.REGION):
            raise CommandError(f"--region {choice.region}: the local cloud has one region, {local.REGION}")
        self.reach(local_port(self.environ), self.start)
        return Target(
            place=LOCAL,
            name=choice.name or names.DEFAULT,
            account=local.ACCOUNT,
            region=local.REGION,
            endpoint_url=self._local_endpoint,
            session=local_session(local.REGION, wrap=self.wrap),
        )

    def _at(self, address: str, choice: Choice, env_file: Mapping[str, str]) -> Target:
        host, port = host_and_port(address)
        if not host:
            raise CommandError(f"AWS_ENDPOINT_URL={address} is no address; one looks like {self._local_endpoint}")
        loopback = is_loopback(address)
        if loopback and port == local_port(self.environ):
            return self._local(choice)
        region = self._region(choice, env_file, None)
        session = (
            local_session(region, wrap=self.wrap)
            if loopback
            else aws_session(self.environ, env_file, choice.profile, wrap=self.wrap)
        )
        return _identified(session, choice, region, address.rstrip("/"))

    def _aws(self, choice: Choice, env_file: Mapping[str, str]) -> Target:
        redirecting = sorted(
            name for name in self.environ if name.startswith("AWS_ENDPOINT_URL") and self.environ[name]
        )
        if redirecting:
            text = f"the target is AWS, but {redirecting[0]}={self.environ[redirecting[0]]} points elsewhere"
            raise CommandError(f"{text}: unset it" + (", or leave out --aws" if choice.aws else ", or say --local"))
        session = aws_session(self.environ, env_file, choice.profile, wrap=self.wrap)
        if foreign := foreign_endpoint(session):
            text = f"the target is AWS, but endpoint_url = {foreign} of the AWS profile points elsewhere"
            raise CommandError(f"{text}: name another profile, or set AWS_ENDPOINT_URL={foreign} to act there")
        return _identified(session, choice, self._region(choice, env_file, session), None)

    def _region(self, choice: Choice, env_file: Mapping[str, str], session: Session | None) -> str:
        variables = ("AWS_REGION", "AWS_DEFAULT_REGION")
        return (
            choice.region
            or (session.region_name if session and choice.profile else None)
            or setting(self.environ, *variables)
            or setting(env_file, *variables)
            or (session.region_name if session else None)
            or _DEFAULT_REGION
        )


def _identified(session: Session, choice: Choice, region: str, endpoint_url: str | None) -> Target:
    """Asks who the credentials belong to: missing, expired or refused ones end here, before anything is made."""
    sts = make_client(session, "sts", endpoint_url=endpoint_url, region=region)
    account = sts.get_caller_identity()["Account"]
    return Target(
        place=f"{account}/{region}",
        name=choice.name or names.DEFAULT,
        account=account,
        region=region,
        endpoint_url=endpoint_url,
        profile=choice.profile,
        session=session,
    )
