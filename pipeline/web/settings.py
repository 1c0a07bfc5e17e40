"""Where requests may go and how postbacks are signed, as the environment says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

from pipeline.clients import is_loopback
from pipeline.image_service.settings import endpoint
from pipeline.settings import SettingsError
from pipeline.web.addresses import Network
from pipeline.web.guard import PORTS
from pipeline.web.signing import SigningSecret

#: The name of a parameter in AWS Systems Manager → its value.
ReadParameter = Callable[[str], str]
IN_SSM = "ssm:"


@dataclass(frozen=True, kw_only=True)
class OutboundSettings:
    """`networks` and `ports` are open beside what is public; `signers` has the newest secret first."""

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = PORTS
    signers: tuple[SigningSecret, ...] = ()
    secret_key: str | None = field(default=None, repr=False)
    allow_http: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], read_parameter: ReadParameter) -> OutboundSettings:
        """SettingsError for what is unusable. `read_parameter` is asked only where a value begins with `ssm:`."""
        networks = tuple(_network(text) for text in _words(environ.get("FETCH_ALLOW_NETWORKS", "")))
        ports = frozenset(_port(text) for text in _words(environ.get("FETCH_ALLOW_PORTS", "")))
        if (networks or ports) and _is_on_aws(environ):
            raise SettingsError(
                "FETCH_ALLOW_NETWORKS and FETCH_ALLOW_PORTS open a way into your network and are refused on Lambda. "
                "Remove them from the function."
            )
        secret_key = _secret(environ.get("POSTBACK_SECRET_KEY", ""), read_parameter)
        signing = _secret(environ.get("POSTBACK_SIGNING_SECRETS", ""), read_parameter)
        return cls(
            networks=networks,
            ports=PORTS | ports,
            signers=tuple(_signer(text) for text in _words(signing)),
            secret_key=secret_key or None,
            allow_http=environ.get("POSTBACK_ALLOW_HTTP", "").strip().lower() in ("1", "true"),
        )


def _words(text: str) -> Iterator[str]:
    return (word for word in re.split(r"[\s,]+", text) if word)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(
            f"FETCH_ALLOW_NETWORKS: {text!r} is no network ({error}). One looks like 10.1.0.0/16 or fd00::/8."
        ) from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise SettingsError(
            f"FETCH_ALLOW_PORTS: {text!r} is no port. One looks like 8080; several have commas between."
        )
    return int(text)


def _is_on_aws(environ: Mapping[str, str]) -> bool:
    """Whether this is a function of the real Lambda: in the local cloud, AWS is on this machine's loopback."""
    return "AWS_LAMBDA_FUNCTION_NAME" in environ and not is_loopback(endpoint(environ))


def _secret(value: str, read_parameter: ReadParameter) -> str:
    value = value.strip()
    return read_parameter(value.removeprefix(IN_SSM)).strip() if value.startswith(IN_SSM) else value


def _signer(text: str) -> SigningSecret:
    try:
        return SigningSecret(text)
    except ValueError as error:
        raise SettingsError(
            f"POSTBACK_SIGNING_SECRETS: {error}. `echo whsec_$(openssl rand -base64 32)` makes one."
        ) from None
