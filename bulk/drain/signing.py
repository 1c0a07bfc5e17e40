"""Signature Version 4 of GetObject, for one bucket: what is the same for all of its objects is made once.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. botocore's own signer takes any request
and finds all of that out again each time.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.awsrequest import AWSPreparedRequest

_EMPTY_BODY = hashlib.sha256(b"").hexdigest()
_PORTS = {"http": 80, "https": 443}


class Signer:
    """`base` is the address that keys are added to; `clock` gives seconds since 1970. It may be used by all threads."""

    def __init__(self, base: str, region: str, agent: str, clock: Callable[[], float] = time.time) -> None:
        self._base, self._region, self._agent, self._clock = base, region, agent, clock
        address = urlsplit(base)
        self._path = address.path
        usual = f":{_PORTS[address.scheme]}"
        self._host = address.netloc.removesuffix(usual)
        self._made: tuple[str, str, bytes] = ("", "", b"")

    def get(self, key: str, headers: Mapping[str, str], version_id: str | None, credentials: Any) -> AWSPreparedRequest:
        """GetObject with these headers, whose names are in lower case; `credentials` are as botocore freezes them."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        signed = {"host": self._host, "x-amz-content-sha256": _EMPTY_BODY, "x-amz-date": now, **headers}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        name, query = quoted(key), f"versionId={quote(version_id, safe='')}" if version_id else ""
        signature = self._signature(self._path + name, query, signed, now, credentials)
        sent: Any = {**signed, "User-Agent": self._agent, "Authorization": signature}
        url = f"{self._base}{name}?{query}" if query else self._base + name
        return AWSPreparedRequest("GET", url, sent, None, True)

    def _signature(self, path: str, query: str, signed: Mapping[str, str], now: str, credentials: Any) -> str:
        names = sorted(signed)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        canonical = f"GET\n{path}\n{query}\n{lines}\n{';'.join(names)}\n{_EMPTY_BODY}"
        scope = f"{now[:8]}/{self._region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(self._key(credentials.secret_key, now[:8]), text).hex()
        return (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"
        )

    def _key(self, secret: str, day: str) -> bytes:
        """The key of that day, which is made anew when the day or the credentials change."""
        made_of, made_on, key = self._made
        if (made_of, made_on) != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = _hmac(key, part)
            self._made = secret, day, key
        return key


def quoted(key: str) -> str:
    """A key as it is written in an address, and signed."""
    return quote(key, safe="/~")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
