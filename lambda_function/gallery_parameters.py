"""What a reader may ask of the gallery API: text from the address in, checked values out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pipeline.gallery.pages import CursorError, Place, decode_cursor
from pipeline.gallery.wanted import Order, Wanted
from pipeline.job import Outcome
from pipeline.keys import MAX_KEY_BYTES
from pipeline.table.items import SHARDS

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_BYTES = 10**15
_LONGEST_QUOTE = 80
_TIME = re.compile(r"\d{4}-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?)?", re.ASCII)
_FORMAT = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)

Parameters = Mapping[str, str]
T = TypeVar("T")


class BadRequestError(Exception):
    """The request cannot be answered as it stands; the text says what is wrong and what would be right."""


def quoted(text: str) -> str:
    """`text` for a message: cut where it is long, its odd characters escaped."""
    return ascii(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…")


def check_names(parameters: Parameters, known: Collection[str]) -> None:
    """Raises BadRequestError for a parameter that nobody would look at: a misspelt filter filters nothing."""
    for name in parameters:
        if name not in known:
            choices = f"the parameters here are {', '.join(known)}" if known else "there are no parameters here"
            raise BadRequestError(f"{quoted(name)} is not known; {choices}.")


#: All that `/images` understands.
LISTING = ("limit", "cursor", "prefix", "format", "outcome", "since", "until", "min_bytes", "max_bytes", "sort")


def limit_of(parameters: Parameters) -> int:
    text = parameters.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    number = _whole_number(text)
    if number is None or not 1 <= number <= MAX_LIMIT:
        raise BadRequestError(
            f"limit={quoted(text)} is not a whole number from 1 to {MAX_LIMIT}; leave it out for {DEFAULT_LIMIT}."
        )
    return number


def start_of(parameters: Parameters, wanted: Wanted) -> Place | None:
    text = parameters.get("cursor")
    if text is None:
        return None
    try:
        return decode_cursor(text, SHARDS, wanted)
    except CursorError as error:
        raise BadRequestError(
            f"cursor={quoted(text)} is not one that this API gave out for these parameters: {error}; "
            "leave it out for the first images."
        ) from error


def key_of(parameters: Parameters) -> str:
    text = parameters.get("key")
    if not text:
        raise BadRequestError("key is missing: /image?key=… takes the key of one image, percent-encoded.")
    return _key("key", text)


def wanted_of(parameters: Parameters) -> Wanted:
    """What to list. Images are sorted by time, the newest first; by key, where a prefix is asked for."""
    prefix = _key("prefix", parameters.get("prefix", "")) or None
    wanted = Wanted(
        prefix=prefix,
        order=_optional(parameters, "sort", _order) or (Order.NAME if prefix else Order.NEWEST),
        format=_optional(parameters, "format", _format),
        outcome=_optional(parameters, "outcome", _outcome),
        since=_optional(parameters, "since", lambda name, text: _recorded(_time(name, text))),
        until=_optional(parameters, "until", _just_before),
        min_bytes=_optional(parameters, "min_bytes", _bytes),
        max_bytes=_optional(parameters, "max_bytes", _bytes),
    )
    _check_range(parameters, "since", "until", empty=(wanted.since or "") > (wanted.until or "~"))
    _check_range(parameters, "min_bytes", "max_bytes", empty=(wanted.min_bytes or 0) >= (wanted.max_bytes or math.inf))
    # A lower bound of 0 bounds nothing, and equal questions shall be equal.
    return replace(wanted, min_bytes=wanted.min_bytes or None)


def _check_range(parameters: Parameters, low: str, high: str, *, empty: bool) -> None:
    if empty:
        values = f"{low}={quoted(parameters.get(low, ''))} and {high}={quoted(parameters.get(high, ''))}"
        raise BadRequestError(f"{values} leave nothing between them: {high} has to be the greater one.")


def _optional(parameters: Parameters, name: str, read: Callable[[str, str], T]) -> T | None:
    return read(name, parameters[name]) if name in parameters else None


def _order(name: str, text: str) -> Order:
    if text not in list(Order):
        raise BadRequestError(f"{name}={quoted(text)} is none of {', '.join(Order)}.")
    return Order(text)


def _outcome(name: str, text: str) -> Outcome:
    if text not in list(Outcome):
        raise BadRequestError(f"{name}={quoted(text)} is neither {' nor '.join(Outcome)}.")
    return Outcome(text)


def _format(name: str, text: str) -> str:
    if not _FORMAT.fullmatch(text):
        raise BadRequestError(f"{name}={quoted(text)} is not the name of a format, such as JPEG or PNG.")
    return text.upper()


def _bytes(name: str, text: str) -> int:
    number = _whole_number(text)
    least = 1 if name == "max_bytes" else 0
    if number is None or not least <= number <= MAX_BYTES:
        raise BadRequestError(f"{name}={quoted(text)} is not a whole number of bytes from {least} to {MAX_BYTES}.")
    return number


def _whole_number(text: str) -> int | None:
    # ASCII only, and not endless: int() would also take "1_0", " 7" and other scripts' digits.
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 16 else None


def _key(name: str, text: str) -> str:
    try:
        length = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadRequestError(f"{name}={quoted(text)} is not Unicode: it holds half of a surrogate pair.") from error
    if length > MAX_KEY_BYTES:
        raise BadRequestError(f"{name} has {length} bytes in UTF-8; keys have at most {MAX_KEY_BYTES}.")
    return text


def _time(name: str, text: str) -> datetime:
    example = "2026-03, 2026-03-01 or 2026-03-01T12:00:00Z"
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        time = datetime.fromisoformat(f"{text}-01" if len(text) == len("2026-03") else text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequestError(f"{name}={quoted(text)} is not a time such as {example} (in UTC).") from error


def _just_before(name: str, text: str) -> str:
    """The last time that is earlier: DynamoDB's ranges hold both of their ends, ours not the upper one."""
    time = _time(name, text)
    return _recorded(time - timedelta(microseconds=1) if time > datetime.min.replace(tzinfo=UTC) else time)


def _recorded(time: datetime) -> str:
    """A time as records spell it, so that times sort as text."""
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
