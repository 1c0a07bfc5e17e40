"""Addresses that stand in the place of AWS's: in AWS_ENDPOINT_URL, and in the profiles of the AWS CLI."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

#: Where names of AWS end, those of interface endpoints in a VPC too.
_OF_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")


def host_and_port(address: str) -> tuple[str, int | None]:
    """Of an http or https address; ("", None) of what is none."""
    try:
        parts = urlsplit(address)
        return (parts.hostname or "", parts.port) if parts.scheme in ("http", "https") else ("", None)
    except ValueError:
        return "", None


def foreign_endpoint(session: Any) -> str | None:
    """An address in the profile of `session`, boto3's or botocore's, that leads anywhere but to AWS."""
    return next((address for address in _configured(session) if not host_and_port(address)[0].endswith(_OF_AWS)), None)


def _configured(session: Any) -> list[str]:
    """The addresses that the profile of `session` names in the place of AWS's, for all services or for one."""
    core = getattr(session, "_session", session)
    if core.get_config_variable("ignore_configured_endpoint_urls"):
        return []
    profile = core.get_scoped_config()
    services = core.full_config.get("services", {}).get(profile.get("services", ""), {})
    parts = [profile, *(service for service in services.values() if isinstance(service, dict))]
    return [part["endpoint_url"] for part in parts if "endpoint_url" in part]
