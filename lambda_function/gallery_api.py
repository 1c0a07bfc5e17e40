"""The gallery's read API behind a Lambda function URL: `GET /images?limit=&cursor=`. Errors are RFC 9457 problems."""

from __future__ import annotations

import json
import math
import os
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import CORSConfig, LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from pipeline.clients import make_client
from pipeline.errors import RetryError
from pipeline.gallery import CursorError, Place, decode_cursor, encode_cursor, public
from pipeline.newest import NewestImages
from pipeline.records import CAPTURE_FIELDS, PUBLIC_FIELDS, SHARDS
from pipeline.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
#: Seconds for which an answer may be kept: a gallery that is a few seconds old hurts nobody.
MAX_AGE = 5
#: Seconds after which a client should try again where DynamoDB named none.
RETRY_AFTER = 2
_LONGEST_QUOTE = 80

settings = Settings.from_environment(os.environ)
dynamodb = make_client(None, "dynamodb", connections=len(SHARDS))
newest = NewestImages(dynamodb, settings.table_name)
shown_fields = PUBLIC_FIELDS + (CAPTURE_FIELDS if settings.public_capture_facts else ())

logger = Logger(service="gallery_api")
app = LambdaFunctionUrlResolver(cors=CORSConfig(allow_origin="*", expose_headers=["Retry-After"], max_age=3600))


class BadRequestError(Exception):
    """The request cannot be answered as it stands; the text says what is wrong and what would be right."""


@app.get("/images")
def get_images() -> Response[str]:
    parameters = app.current_event.query_string_parameters
    limit, start = _limit(parameters.get("limit")), _start(parameters.get("cursor"))
    page = newest.page(limit, start)
    body = {
        "images": [public(item, shown_fields) for item in page.items],
        "cursor": encode_cursor(page.end) if page.end else None,
    }
    logger.append_keys(images=len(page.items))
    return _answer(HTTPStatus.OK, body, cache_control=f"public, max-age={MAX_AGE}")


def _bad_request(error: BadRequestError) -> Response[str]:
    return _problem(HTTPStatus.BAD_REQUEST, str(error))


def _not_found(_: NotFoundError) -> Response[str]:
    event = app.current_event
    if event.path == "/images":
        detail = f"{event.http_method} is not possible here; GET is."
        return _problem(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"Allow": "GET, OPTIONS"})
    return _problem(HTTPStatus.NOT_FOUND, f"There is nothing at {_quoted(event.path)}; the images are at /images.")


def _busy(error: RetryError) -> Response[str]:
    logger.append_keys(reason=error.reason)
    seconds = str(math.ceil(error.after or RETRY_AFTER))
    detail = "The images cannot be read at this moment; try again in a few seconds."
    return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": seconds})


def _bug(error: Exception) -> Response[str]:
    logger.exception("unforeseen", exc_info=error)
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "This is a fault of the gallery, not of the request.")


for _error, _answer_to in (
    (BadRequestError, _bad_request),
    (NotFoundError, _not_found),
    (RetryError, _busy),
    (Exception, _bug),
):
    app.exception_handler(_error)(_answer_to)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    began = time.perf_counter()
    answer = app.resolve(event, context)
    request = event["requestContext"]["http"]
    facts = {"method": request["method"], "path": request["path"][:_LONGEST_QUOTE], "status": answer["statusCode"]}
    logger.info("answered", extra={**facts, "ms": round((time.perf_counter() - began) * 1000, 1)})
    return answer


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    # No more than three digits and ASCII only: int() would also take "1_0", " 7" and other scripts' digits.
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0
    if not 1 <= number <= MAX_LIMIT:
        raise BadRequestError(
            f"limit={_quoted(text)} is not a whole number from 1 to {MAX_LIMIT}; leave it out for {DEFAULT_LIMIT}."
        )
    return number


def _start(text: str | None) -> Place | None:
    if text is None:
        return None
    try:
        return decode_cursor(text, SHARDS)
    except CursorError as error:
        raise BadRequestError(
            f"cursor={_quoted(text)} is not one that this API gave out: {error}; leave it out for the newest images."
        ) from error


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…")


def _problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response[str]:
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    return _answer(status, body, headers, content_type="application/problem+json", cache_control="no-store")


def _answer(
    status: HTTPStatus,
    body: dict[str, Any],
    headers: dict[str, str] | None = None,
    *,
    content_type: str = "application/json",
    cache_control: str,
) -> Response[str]:
    # Vary: the CORS header is sent only where an Origin came, and a cache must not hand one site's answer to another.
    common = {"Cache-Control": cache_control, "Vary": "Origin", "X-Content-Type-Options": "nosniff"}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(int(status), content_type, text, headers={**common, **(headers or {})})
