"""The gallery's read API behind a Lambda function URL; `openapi.json` describes it. Errors are RFC 9457 problems."""

from __future__ import annotations

import math
import os
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import CORSConfig, LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from lambda_function.gallery_answers import answer, problem
from lambda_function.gallery_parameters import (
    LISTING,
    BadRequestError,
    check_names,
    key_of,
    limit_of,
    quoted,
    start_of,
    wanted_of,
)
from lambda_function.logs import function_logger
from lambda_function.restoring import after_restore
from pipeline.clients import make_client
from pipeline.errors import RetryError
from pipeline.gallery.listing import ImageList
from pipeline.gallery.pages import encode_cursor, public
from pipeline.settings import Settings
from pipeline.table.items import CAPTURE_FIELDS, PUBLIC_FIELDS, SHARDS
from pipeline.table.stats import Stats

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient

#: Seconds for which an answer may be kept: a gallery that is a few seconds old hurts nobody.
MAX_AGE = 5
#: The description changes with a new version of the function only.
DESCRIPTION_MAX_AGE = 3600
#: Seconds after which a client should try again where DynamoDB named none.
RETRY_AFTER = 2
#: Seconds of silence, and tries, after which it says so: Lambda ends the function after 15 seconds, without a word.
READ_TIMEOUT = 3
ATTEMPTS = 2
#: Outputs in one answer: with the longest keys, each takes some 10 kB, and Lambda passes on 6 MB.
MOST_OUTPUTS = 480
_LONGEST_PATH = 80

settings = Settings.from_environment(os.environ)
dynamodb: DynamoDBClient
images: ImageList
stats: Stats


def connect() -> None:
    """Make the client anew, and what works with it."""
    global dynamodb, images, stats
    dynamodb = make_client(None, "dynamodb", connections=len(SHARDS), attempts=ATTEMPTS, read_timeout=READ_TIMEOUT)
    images = ImageList(dynamodb, settings.table_name)
    stats = Stats(dynamodb, settings.stats_table_name)


connect()
after_restore(connect)
most_images = MOST_OUTPUTS // len(settings.variants.image_options.outputs)
shown_fields = PUBLIC_FIELDS + (CAPTURE_FIELDS if settings.public_capture_facts else ())
description = Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")

logger = function_logger("gallery_api")
app = LambdaFunctionUrlResolver(cors=CORSConfig(allow_origin="*", expose_headers=["Retry-After", "ETag"], max_age=3600))


@app.get("/images")
def get_images() -> Response[str]:
    parameters = _parameters(LISTING)
    wanted, limit = wanted_of(parameters), limit_of(parameters)
    page = images.page(min(limit, most_images), start_of(parameters, wanted), wanted)
    logger.append_keys(images=len(page.items))
    return _kept(
        {
            "images": [public(item, shown_fields) for item in page.items],
            "cursor": encode_cursor(page.end, wanted) if page.end else None,
        }
    )


@app.get("/image")
def get_image() -> Response[str]:
    key = key_of(_parameters(("key",)))
    item = images.image(key)
    if item is None:
        return problem(HTTPStatus.NOT_FOUND, f"There is no image {quoted(key)}.")
    return _kept(public(item, shown_fields))


@app.get("/stats")
def get_stats() -> Response[str]:
    _parameters(())
    totals = stats.read()
    return _kept({**totals.public(), **totals.price(settings.price_per_gb_month)})


@app.get("/openapi.json")
def get_description() -> Response[str]:
    _parameters(())
    return _kept(description, DESCRIPTION_MAX_AGE)


PATHS = frozenset({"/images", "/image", "/stats", "/openapi.json"})


def _bad_request(error: BadRequestError) -> Response[str]:
    return problem(HTTPStatus.BAD_REQUEST, str(error))


def _not_found(_: NotFoundError) -> Response[str]:
    event = app.current_event
    if event.path in PATHS:
        detail = f"{event.http_method} is not possible here; GET is."
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"Allow": "GET, OPTIONS"})
    return problem(HTTPStatus.NOT_FOUND, f"There is nothing at {quoted(event.path)}; the images are at /images.")


def _busy(error: RetryError) -> Response[str]:
    logger.append_keys(reason=error.reason)
    seconds = str(math.ceil(error.after or RETRY_AFTER))
    detail = "The images cannot be read at this moment; try again in a few seconds."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": seconds})


def _bug(error: Exception) -> Response[str]:
    logger.exception("unforeseen", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "This is a fault of the gallery, not of the request.")


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
    given = app.resolve(event, context)
    request = event["requestContext"]["http"]
    facts = {"method": request["method"], "path": request["path"][:_LONGEST_PATH], "status": given["statusCode"]}
    logger.info("answered", extra={**facts, "ms": round((time.perf_counter() - began) * 1000, 1)})
    return given


def _parameters(known: tuple[str, ...]) -> dict[str, str]:
    parameters = dict(app.current_event.query_string_parameters)
    check_names(parameters, known)
    return parameters


def _kept(body: dict[str, Any] | str, max_age: int = MAX_AGE) -> Response[str]:
    if_none_match = app.current_event.headers.get("if-none-match") or ""
    return answer(body, cache_control=f"public, max-age={max_age}", if_none_match=if_none_match)
