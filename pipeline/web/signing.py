"""Signatures of the Standard Webhooks specification (https://www.standardwebhooks.com): HMAC-SHA256, version v1."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

_PREFIX = "whsec_"
#: What the specification asks of a secret, in bytes.
_SHORTEST, _LONGEST = 24, 64


class SigningSecret:
    """One key, read from `whsec_<base64 of 24 to 64 bytes>`; ValueError, which does not say it, for other texts."""

    def __init__(self, text: str) -> None:
        self._key = _decoded(text.removeprefix(_PREFIX))
        if not text.startswith(_PREFIX) or not _SHORTEST <= len(self._key) <= _LONGEST:
            raise ValueError(f"a signing secret is {_PREFIX} and the base64 text of {_SHORTEST} to {_LONGEST} bytes")

    def sign(self, message_id: str, timestamp: int, body: bytes) -> str:
        signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
        return "v1," + base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{_PREFIX}…')"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def new_secret() -> str:
    """A secret to hand to sender and receiver, as `SigningSecret` reads it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature_headers(
    signers: Sequence[SigningSecret], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers; with several secrets, a receiver that knows any one of them finds its signature."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signer.sign(message_id, timestamp, body) for signer in signers),
    }
