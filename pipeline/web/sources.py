"""Images from the web: whatever a URL leads to, as bytes, within limits of time and size."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from urllib.parse import urljoin

from urllib3 import BaseHTTPResponse

from pipeline.errors import Code, RejectError, RetryError
from pipeline.web.outbound import Outbound, retry_after

MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
#: Answers that another try may change, beside all of 5xx.
_PASSING = (408, 425, 429)
#: identity: images are compressed already. What comes with one of _UNPACKED nevertheless is unpacked; what comes with
#: several is not: two kilobytes can be hours of unpacking that yields nothing, so that no limit is ever met.
_HEADERS = {"Accept": "image/*,*/*;q=0.1", "Accept-Encoding": "identity"}
_UNPACKED = {"gzip", "x-gzip", "deflate"}
_CHUNK = 1 << 20
#: Of a length that somebody may mean.
_MOST_DIGITS = 18


@dataclass(frozen=True)
class Fetched:
    """What came: its bytes, the type that the server calls it, and the URL at the end of all redirects."""

    data: bytes = field(repr=False)
    content_type: str
    url: str


class Fetcher:
    """Fetches images; safe to share between threads. `deadline`: seconds for all of it, redirects and reading too."""

    def __init__(self, outbound: Outbound, *, max_bytes: int = 50_000_000, deadline: float = 30.0) -> None:
        self._outbound = outbound
        self._max_bytes = max_bytes
        self._deadline = deadline

    def fetch(self, url: str) -> Fetched:
        """The bytes at `url`; what they are is for the decoder to say.

        Raises RejectError for what stays as it is: URL_REFUSED, FETCH_FAILED (no such image), TOO_LARGE (counting
        unpacked bytes) and INVALID_CONTENT (no bytes); RetryError for what may be different later.
        """
        ends, url = time.monotonic() + self._deadline, url.strip()
        for _ in range(MAX_REDIRECTS + 1):
            with self._outbound.request("GET", url, ends=ends, headers=_HEADERS) as answer:
                if answer.status not in _REDIRECTS:
                    return self._received(answer, url, ends)
                url = _next(url, answer)
        raise RejectError(Code.FETCH_FAILED, f"more than {MAX_REDIRECTS} redirects")

    def _received(self, answer: BaseHTTPResponse, url: str, ends: float) -> Fetched:
        status = answer.status
        if status in _PASSING or status >= 500:
            raise RetryError(f"the server answered {status}", after=retry_after(answer))
        if not 200 <= status < 300:
            raise RejectError(Code.FETCH_FAILED, f"the server answered {status}")
        data = self._read(answer, ends)
        if not data:
            raise RejectError(Code.INVALID_CONTENT, f"the server answered {status} and sent no bytes")
        return Fetched(data, answer.headers.get("Content-Type", ""), url)

    def _read(self, answer: BaseHTTPResponse, ends: float) -> bytes:
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and (len(announced) > _MOST_DIGITS or int(announced) > self._max_bytes):
            raise self._too_large(announced[:_MOST_DIGITS])
        is_unpacked = answer.headers.get("Content-Encoding", "").strip().lower() in _UNPACKED
        read = io.BytesIO()
        while chunk := answer.read(_CHUNK, decode_content=is_unpacked):
            read.write(chunk)
            if read.tell() > self._max_bytes:
                raise self._too_large("already sent")
            if time.monotonic() > ends:
                raise RetryError("the image did not come in time")
        return read.getvalue()

    def _too_large(self, what: str) -> RejectError:
        return RejectError(Code.TOO_LARGE, f"{what} bytes are more than {self._max_bytes}")


def _next(url: str, answer: BaseHTTPResponse) -> str:
    """Where the answer sends us. Servers write UTF-8 there, which http.client reads as Latin-1."""
    location = answer.headers.get("Location", "")
    if not location:
        raise RejectError(Code.FETCH_FAILED, f"the server answered {answer.status} and did not say where to")
    try:
        return urljoin(url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
    except ValueError:
        raise RejectError(Code.URL_REFUSED, "a redirect leads to what is no URL") from None
