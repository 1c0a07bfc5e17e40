"""Postbacks: the result of a message as a signed POST to the URL that it names."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from pipeline.errors import Code, RejectError, RetryError
from pipeline.web.outbound import Outbound, retry_after
from pipeline.web.signing import SigningSecret, signature_headers

#: Seconds for all of one postback; receivers that work for longer answer first and work then.
DEADLINE = 15.0
GONE = 410
_READ_OF_ANSWER = 65_536


class Postbacks:
    """Sends postbacks; safe to share between threads.

    `secret_key` goes into the body as `postback_secret_key` for receivers of the older service, and then over https
    only, unless `allow_http`. Everything is signed with all of `signers`.
    """

    def __init__(
        self,
        outbound: Outbound,
        *,
        signers: Sequence[SigningSecret],
        secret_key: str | None = None,
        allow_http: bool = False,
        deadline: float = DEADLINE,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not signers:
            raise ValueError("every postback is signed: give at least one signing secret")
        self._outbound = outbound
        self._signers = signers
        self._secret_key = secret_key
        self._allow_http = allow_http
        self._deadline = deadline
        self._now = now

    def send(self, url: str, body: Mapping[str, object], message_id: str) -> None:
        """POST `body` as JSON; it is delivered when this returns. `message_id` is the same at each try.

        Raises RejectError(URL_REFUSED) where nothing may be sent to, RejectError(POSTBACK_GONE) where the receiver
        wants no more of them, and RetryError for everything else: other answers (redirects too, which are never
        followed) and what networks do.
        """
        data = self._encode(url, body)
        timestamp = int(self._now())
        headers = {
            "Content-Type": "application/json",
            **signature_headers(self._signers, message_id=message_id, timestamp=timestamp, body=data),
        }
        ends = time.monotonic() + self._deadline
        try:
            with self._outbound.request("POST", url, ends=ends, headers=headers, body=data) as answer:
                status, after = answer.status, retry_after(answer)
                _drain(answer)
        except RejectError as error:
            if error.code is Code.URL_REFUSED:
                raise
            raise RetryError(error.reason) from error
        if status == GONE:
            raise RejectError(Code.POSTBACK_GONE)
        if not 200 <= status < 300:
            raise RetryError(f"the receiver of the postback answered {status}", after=after)

    def _encode(self, url: str, body: Mapping[str, object]) -> bytes:
        if self._secret_key is not None:
            if not self._allow_http and not url.lower().startswith("https://"):
                raise RejectError(
                    Code.URL_REFUSED,
                    "postback_secret_key travels over https only; POSTBACK_ALLOW_HTTP=1 lets it go over http",
                )
            body = {**body, "postback_secret_key": self._secret_key}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _drain(answer: BaseHTTPResponse) -> None:
    """Read what came with the answer, so that the connection can be used again; it says nothing that counts."""
    with suppress(HTTPError, RejectError, ValueError):
        answer.read(_READ_OF_ANSWER, decode_content=False)
