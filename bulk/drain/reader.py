"""GetObject with the parts of botocore, once botocore as a whole has shown how: that takes half of the CPU time.

Where a request goes and how it is signed is the same for all objects of a bucket, and most of what botocore does is to
find that out each time. So the first GetObject goes the whole way and is looked at, and those that follow go to the
same place with another key, over the same connections. Whatever is no success is done again the whole way, which knows
about errors and redirects, and repeats what may be repeated.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from bulk.drain.checksums import HASHERS
from bulk.drain.signing import Signer, quoted

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([\w-]+)/s3/aws4_request")
#: Headers that make an answer, by their names in botocore's.
_HEADERS = {
    "ETag": "etag",
    "VersionId": "x-amz-version-id",
    "ContentType": "content-type",
    "ContentRange": "content-range",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    **{f"Checksum{algorithm}": f"x-amz-checksum-{algorithm.lower()}" for algorithm in HASHERS},
}
#: Headers of a request, by the names of botocore's parameters.
_ASKED = {"IfMatch": "if-match", "Range": "range"}
_METADATA = "x-amz-meta-"
_CHECKSUM_MODE = "x-amz-checksum-mode"


class Reader:
    """`get_object` of one bucket; its answers have botocore's names, and as Body what has `read1` and `close`."""

    def __init__(self, s3: Any, bucket: str, credentials: Any) -> None:
        self._s3, self._bucket, self._credentials = s3, bucket, credentials
        self._asked = threading.local()
        self._signer: Signer | None = None
        # Asked for as a header and not as a parameter: botocore would take every checksum a second time.
        s3.meta.events.register("before-call.s3.GetObject", _ask_for_checksum)
        s3.meta.events.register("before-send.s3.GetObject", self._learn)

    def get_object(self, key: str, **request: str) -> dict[str, Any]:
        """As botocore's, of which it takes IfMatch, Range and VersionId; raises what that raises."""
        answer = self._directly(self._signer, key, request) if self._signer else None
        if answer is None:
            self._asked.key = key
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, **request)
            answer["Body"] = answer["Body"]._raw_stream
        return answer

    def _directly(self, signer: Signer, key: str, request: Mapping[str, str]) -> dict[str, Any] | None:
        """None where it did not go well."""
        headers = {header: request[name] for name, header in _ASKED.items() if name in request}
        if "Range" not in request:
            headers[_CHECKSUM_MODE] = "ENABLED"
        try:
            keys = self._credentials.get_frozen_credentials()
            response = self._http().send(signer.get(key, headers, request.get("VersionId"), keys))
        except Exception:
            return None
        if response.status_code in (200, 206):
            return _answer(response.raw)
        response.raw.close()
        return None

    def _learn(self, request: Any, **_: Any) -> None:
        """Look at a request that botocore has made ready; one that is signed in another way teaches nothing."""
        address = request.url.partition("?")[0]
        signed = _SIGNED.match(_text(request.headers.get("Authorization")))
        key = quoted(self._asked.key)
        if self._signer is None and signed and address.endswith(f"/{key}") and self._http() is not None:
            agent = _text(request.headers.get("User-Agent"))
            self._signer = Signer(address.removesuffix(key), signed[1], agent)

    def _http(self) -> Any:
        """The connections of the client, with its proxies and certificates; botocore has no public name for them."""
        return getattr(getattr(self._s3, "_endpoint", None), "http_session", None)


def _answer(response: Any) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in response.headers.items()}
    answer = {name: headers[header] for name, header in _HEADERS.items() if header in headers}
    return answer | {
        "ContentLength": int(headers["content-length"]),
        "LastModified": parsedate_to_datetime(headers["last-modified"]),
        "Metadata": {
            name.removeprefix(_METADATA): value for name, value in headers.items() if name.startswith(_METADATA)
        },
        "Body": response,
    }


def _ask_for_checksum(params: dict[str, Any], **_: Any) -> None:
    if "Range" not in params["headers"]:
        params["headers"][_CHECKSUM_MODE] = "ENABLED"


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
