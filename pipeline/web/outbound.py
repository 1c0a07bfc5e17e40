"""HTTP requests to where strangers say: one place that keeps them away from our own network and within their time."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import partial

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    LocationValueError,
    ProtocolError,
    SSLError,
    URLSchemeUnknown,
)
from urllib3.util import Url, parse_url

from pipeline.errors import Code, RejectError, RetryError
from pipeline.version import VERSION
from pipeline.web.connections import Until, guarded_pools
from pipeline.web.guard import Guard

USER_AGENT = f"image-pipeline/{VERSION}"
_LONGEST_REASON = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Outbound:
    """Makes requests that `guard` watches over; safe to share between threads.

    At most `per_host` requests to one host run at one time, and the connections stay open for the next ones.
    """

    def __init__(self, guard: Guard, *, tls: ssl.SSLContext | None = None, per_host: int = 8) -> None:
        self._pools = guarded_pools(guard, tls=tls or ssl.create_default_context(), per_host=per_host)

    @contextmanager
    def request(
        self, method: str, url: str, *, ends: float, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[BaseHTTPResponse]:
        """The answer, whose body is still to be read; redirects are answers like any other.

        Everything, reading included, ends at `ends` of `time.monotonic`. Raises RejectError(URL_REFUSED) for a URL that
        is none or leads where nobody may go, RejectError(FETCH_FAILED) for a certificate or an encoding that is wrong,
        RejectError(TOO_LARGE) for more than `connections.MOST_BYTES`, and RetryError for all that a network may do.
        """
        target = checked_url(url)
        with _translated(target):
            answer = self._answer(method, target.url, ends, {"User-Agent": USER_AGENT, **headers}, body)
            try:
                yield answer
            finally:
                # What was not read to its end cannot be used for another request.
                answer.close()
                answer.release_conn()

    def _answer(
        self, method: str, url: str, ends: float, headers: Mapping[str, str], body: bytes | None
    ) -> BaseHTTPResponse:
        ask = partial(
            self._pools.urlopen, method, url, redirect=False, retries=False, preload_content=False, headers=headers
        )
        try:
            return ask(body=body, timeout=Until(ends), pool_timeout=_left(ends))
        except ProtocolError:
            # A connection that was kept open may be closed in the moment in which it is used again (RFC 9112, 9.3.1).
            if method != "GET":
                raise
        return ask(timeout=Until(ends), pool_timeout=_left(ends))


def _left(ends: float) -> float:
    return max(ends - time.monotonic(), 0.001)


def checked_url(url: str) -> Url:
    """The URL in its parts. RejectError(URL_REFUSED) unless it is http or https, names a host and holds no password."""
    try:
        parts = parse_url(url)
    except LocationValueError:
        raise RejectError(Code.URL_REFUSED, "this is no URL") from None
    if _CONTROL.search(url) or parts.scheme not in ("http", "https") or not parts.host:
        raise RejectError(Code.URL_REFUSED, "only http:// and https:// with the name of a host can be reached")
    if parts.auth is not None:
        raise RejectError(Code.URL_REFUSED, "a URL with a user or a password in it is not taken")
    return parts


@contextmanager
def _translated(target: Url) -> Iterator[None]:
    # Neither path nor query: both may hold what only sender and receiver should know.
    place = f"{target.scheme}://{target.netloc}"
    try:
        yield
    except (LocationValueError, URLSchemeUnknown) as error:
        raise RejectError(Code.URL_REFUSED, _short(f"{place}: {error}")) from error
    except SSLError as error:
        if isinstance(error.args[0], ssl.SSLCertVerificationError):
            raise RejectError(Code.FETCH_FAILED, _short(f"{place}: {error.args[0].verify_message}")) from error
        raise RetryError(_short(f"{place}: {error}")) from error
    except DecodeError as error:
        raise RejectError(Code.FETCH_FAILED, _short(f"{place}: {error}")) from error
    except (HTTPError, ValueError, OverflowError) as error:
        # http.client takes lengths that are no numbers, or are too long for one, for a caller's mistake.
        raise RetryError(_short(f"{place}: {error}")) from error


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def retry_after(answer: BaseHTTPResponse) -> float | None:
    """The seconds that the other side asks to wait for, given as a number or as a date; None where it does not say."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return min(float(value), 86_400.0)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, min(seconds, 86_400.0))
