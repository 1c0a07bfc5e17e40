"""Our signature is the one that botocore's signer makes of the same request."""

from __future__ import annotations

from calendar import timegm
from time import strptime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.credentials import ReadOnlyCredentials as Frozen

from bulk.drain.signing import Signer
from tests.odd_keys import ODD_KEYS

BASES = ("http://127.0.0.1:4999/bucket/", "http://s3.eu-south-2.amazonaws.com:80/bucket/", "http://bucket.s3.local/")
KEYS = Frozen("AKID", "secret", None)


def signed_by_botocore(url, headers, keys):
    request = AWSRequest(method="GET", url=url, headers=dict(headers))
    S3SigV4Auth(Credentials(*keys), "s3", "eu-south-2").add_auth(request)
    at = request.headers["X-Amz-Date"]
    return request.headers["Authorization"], timegm(strptime(at, "%Y%m%dT%H%M%SZ"))


def signed_by_us(base, key, headers, version_id, keys, at):
    signer = Signer(base, "eu-south-2", "agent", clock=lambda: at)
    return signer.get(key, headers, version_id, keys)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("keys", [KEYS, Frozen("ASIA", "other", "token/with+signs==")])
@pytest.mark.parametrize(
    "headers", [{}, {"range": "bytes=5-", "if-match": '"etag"'}, {"x-amz-checksum-mode": "ENABLED"}]
)
@pytest.mark.parametrize(
    "version_id", [None, "null", "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo"]
)
def test_every_kind_of_request_is_signed_as_botocore_does(base, keys, headers, version_id):
    ours = signed_by_us(base, "a b/ü.jpg", headers, version_id, keys, 0)

    theirs, at = signed_by_botocore(ours.url, headers, keys)

    assert signed_by_us(base, "a b/ü.jpg", headers, version_id, keys, at).headers["Authorization"] == theirs


@pytest.mark.parametrize("key", ODD_KEYS)
def test_every_key_is_signed_as_botocore_does(key):
    ours = signed_by_us(BASES[0], key, {}, None, KEYS, 0)

    theirs, at = signed_by_botocore(ours.url, {}, KEYS)

    assert signed_by_us(BASES[0], key, {}, None, KEYS, at).headers["Authorization"] == theirs


def test_a_new_day_and_new_credentials_have_a_key_of_their_own():
    now = [86_399]
    signer = Signer(BASES[0], "eu-south-2", "agent", clock=lambda: now[0])

    def signature(keys):
        return signer.get("a", {}, None, keys).headers["Authorization"]

    first = signature(KEYS)
    renewed = signature(Frozen("AKID", "renewed", None))
    now[0] += 1
    next_day = signature(KEYS)

    assert (
        renewed
        == signed_by_us(BASES[0], "a", {}, None, Frozen("AKID", "renewed", None), 86_399).headers["Authorization"]
    )
    assert next_day == signed_by_us(BASES[0], "a", {}, None, KEYS, 86_400).headers["Authorization"]
    assert len({first, renewed, next_day}) == 3
