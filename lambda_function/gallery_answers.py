"""How the gallery API answers: JSON that may be kept for a while, and errors as RFC 9457 problems."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

#: Below this many characters, gzip saves nothing worth its header.
_WORTH_COMPRESSING = 400


def answer(
    body: dict[str, Any] | str,
    *,
    cache_control: str,
    if_none_match: str = "",
    status: HTTPStatus = HTTPStatus.OK,
    headers: dict[str, str] | None = None,
    content_type: str = "application/json",
) -> Response[str]:
    """`body` as JSON; a str is JSON already. 304 without a body where the client names it in `if_none_match`."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # Vary: the CORS header is sent only where an Origin came, and a cache must not hand one site's answer to another.
    common = {
        "Cache-Control": cache_control,
        "Vary": "Origin, Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    if status is not HTTPStatus.OK:
        return Response(int(status), content_type, text, headers=common)
    common["ETag"] = _etag(text)
    if _names(if_none_match, common["ETag"]):
        return Response(int(HTTPStatus.NOT_MODIFIED), None, "", headers=common)
    return Response(int(status), content_type, text, headers=common, compress=len(text) >= _WORTH_COMPRESSING)


def problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response[str]:
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    return answer(
        body, cache_control="no-store", status=status, headers=headers, content_type="application/problem+json"
    )


def _etag(text: str) -> str:
    # Weak: the same answer goes out compressed and as it is.
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def _names(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags
