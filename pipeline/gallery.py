"""Pages of the gallery out of several shards, and the cursors between them. Pure: no I/O.

Each shard lists its images newest first. A page is their merge, cut after `limit` images; where it ends is a `Place`:
the time of its last image and, for images that share this very time, which one each shard had come to. Everything
newer than a place has been shown and everything older has not, so images that arrive later change no page that follows.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

#: What DynamoDB allows: bytes of a partition key (`ImageID`) and of a sort key (`ProcessedAt`).
_MAX_ID_BYTES = 2048
_MAX_TIME_BYTES = 1024
_CHECK_BYTES = 6
#: Goes into the check, so that a cursor of another kind or of an older layout is refused, not misread.
_KIND = b"newest images, layout 1\n"

Item = Mapping[str, Any]


class CursorError(ValueError):
    """The text is no cursor that this API gave out."""


@dataclass(frozen=True)
class Place:
    """Where a page ended: at the time `at`, and for some shards after the image `last[shard]` of that same time."""

    at: str
    last: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Slice:
    """The next images of one shard, newest first; `more`: the shard holds older ones beyond these (at least one)."""

    items: Sequence[Item]
    more: bool


@dataclass(frozen=True)
class Page:
    """Images, newest first, and the place after them; None where no older ones exist."""

    items: tuple[Item, ...]
    end: Place | None


def page_of(slices: Mapping[str, Slice], limit: int, *, start: Place | None) -> Page:
    """The first `limit` images of the merged slices, which were read from `start` on.

    Fewer where a slice breaks off early: what its shard holds beyond may be newer than what the others show next.
    """
    taken: list[tuple[str, Item]] = []
    for shard, item in _merged(slices):
        if item is None or len(taken) == limit:
            return Page(tuple(item for _, item in taken), _place_after(taken, start))
        taken.append((shard, item))
    return Page(tuple(item for _, item in taken), None)


def encode_cursor(place: Place) -> str:
    """A place as text that is safe in a URL. It holds nothing but times and names that the page before it showed."""
    body = json.dumps([place.at, dict(sorted(place.last.items()))], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_check(body) + body).decode().rstrip("=")


def decode_cursor(text: str, shards: Collection[str]) -> Place:
    """The place in a cursor. Raises CursorError for any text that `encode_cursor` does not make for these shards."""
    try:
        place = _place_in(text)
        genuine = encode_cursor(place) == text
    except (ValueError, TypeError, RecursionError) as error:
        raise CursorError("it cannot be read") from error
    if not genuine or not _possible(place, shards):
        raise CursorError("it has been changed on the way")
    return place


def public(item: Item, fields: Iterable[str]) -> dict[str, Any]:
    """What of an item may be shown, ready for JSON: the named fields that it has, and nothing else."""
    return {name: _plain(item[name]) for name in fields if name in item}


def _merged(slices: Mapping[str, Slice]) -> Iterator[tuple[str, Item | None]]:
    """All images newest first, each with its shard; None stands where a slice broke off.

    A shard's own order is kept among images of the same time: it is the order in which the shard can be read on.
    """
    streams = [_stream(shard, part) for shard, part in sorted(slices.items())]
    for _, shard, item in heapq.merge(*streams, key=lambda entry: entry[0], reverse=True):
        yield shard, item


def _stream(shard: str, part: Slice) -> Iterator[tuple[str, str, Item | None]]:
    for item in part.items:
        yield item["ProcessedAt"], shard, item
    if part.more:
        # What follows unseen may be as new as the last one seen: nothing older may be shown before it.
        yield part.items[-1]["ProcessedAt"], shard, None


def _place_after(taken: Sequence[tuple[str, Item]], start: Place | None) -> Place | None:
    if not taken:
        return start
    at = taken[-1][1]["ProcessedAt"]
    last = dict(start.last) if start and start.at == at else {}
    last |= {shard: item["ImageID"] for shard, item in taken if item["ProcessedAt"] == at}
    return Place(at, last)


def _check(body: bytes) -> bytes:
    """Finds cursors that were cut or changed. No secret: whoever forges one may read what everybody may read."""
    return hashlib.sha256(_KIND + body).digest()[:_CHECK_BYTES]


def _place_in(text: str) -> Place:
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    at, last = json.loads(raw[_CHECK_BYTES:].decode())
    return Place(at, {**last})


def _possible(place: Place, shards: Collection[str]) -> bool:
    return (
        _is_key(place.at, _MAX_TIME_BYTES)
        and all(shard in shards for shard in place.last)
        and all(_is_key(image_id, _MAX_ID_BYTES) for image_id in place.last.values())
    )


def _is_key(value: object, max_bytes: int) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= max_bytes


def _plain(value: Any) -> Any:
    """DynamoDB's numbers as int or float, its sets as lists; bytes, which only a user can have put there, as null."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, set, frozenset)):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, (str, bool)) else None
