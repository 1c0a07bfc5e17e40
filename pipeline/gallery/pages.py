"""Pages of the gallery out of several shards, and the cursors between them. Pure: no I/O.

Each shard lists its images in one order: newest first, say. A page is their merge, cut after `limit` images; where it
ends is a `Place`: the time of its last image and, for images that share this very time, which one each shard had come
to. Everything before a place has been shown and nothing after it has, so images that arrive later change no page that
follows.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pipeline.gallery.wanted import ALL, Order, Wanted

#: What DynamoDB allows: bytes of a partition key (`ImageID`) and of a sort key (`ProcessedAt`).
_MAX_ID_BYTES = 2048
_MAX_TIME_BYTES = 1024
_CHECK_BYTES = 6
_LENGTH_BYTES = 2
#: Goes into the check, so that a cursor of another kind or of an older layout is refused, not misread.
_KIND = b"gallery, layout 3\n"

Item = Mapping[str, Any]


class CursorError(ValueError):
    """The text is no cursor that this API gave out."""


@dataclass(frozen=True)
class Place:
    """Where a page ended: at the time (or key) `at`, and for some shards after the image `last[shard]` of that time."""

    at: str
    last: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Slice:
    """The next images of one shard, in order.

    `end` is where reading broke off, as the keys of the last item that was looked at, wanted or not; None where the
    shard holds nothing beyond.
    """

    items: Sequence[Item]
    end: Item | None = None


@dataclass(frozen=True)
class Page:
    """Images in order, and the place after them; None where no others follow."""

    items: tuple[Item, ...]
    end: Place | None


def page_of(slices: Mapping[str, Slice], limit: int, *, start: Place | None, wanted: Wanted = ALL) -> Page:
    """The first `limit` images of the merged slices, which were read from `start` on.

    Fewer, or none at all, where a slice breaks off early: what its shard holds beyond may come before what the others
    show next.
    """
    attribute = wanted.order.attribute
    taken: list[tuple[str, Item]] = []
    for shard, item, breaks_off in _merged(slices, wanted):
        if len(taken) == limit:
            return Page(_items(taken), _place(taken[-1][1][attribute], taken, start, attribute))
        if breaks_off:
            place = _place(item[attribute], [*taken, (shard, item)], start, attribute)
            return Page(_items(taken), place)
        taken.append((shard, item))
    return Page(_items(taken), None)


def encode_cursor(place: Place, wanted: Wanted = ALL) -> str:
    """A place as text that is safe in a URL. It holds nothing but times and keys that anybody may list."""
    body = _packed([place.at, *(text for entry in sorted(place.last.items()) for text in entry)])
    return base64.urlsafe_b64encode(_check(body, wanted) + body).decode().rstrip("=")


def decode_cursor(text: str, shards: Collection[str], wanted: Wanted = ALL) -> Place:
    """The place in a cursor. Raises CursorError for any text that `encode_cursor` does not make for this question."""
    try:
        place = _place_in(text)
        genuine = encode_cursor(place, wanted) == text
    except ValueError as error:
        raise CursorError("it cannot be read") from error
    if not genuine or not _possible(place, shards) or not wanted.holds(place.at):
        raise CursorError("it has been changed on the way, or belongs to another question")
    return place


def public(item: Item, fields: Iterable[str]) -> dict[str, Any]:
    """What of an item may be shown, ready for JSON: the named fields that it has, and nothing else."""
    return {name: _plain(item[name]) for name in fields if name in item}


def _merged(slices: Mapping[str, Slice], wanted: Wanted) -> Iterator[tuple[str, Item, bool]]:
    """All images in order, each with its shard; True marks what is no image but the place where a slice broke off.

    A shard's own order is kept among images of the same time: it is the order in which the shard can be read on.
    """
    attribute, descending = wanted.order.attribute, wanted.order.descending
    streams = [_stream(shard, part) for shard, part in sorted(slices.items())]
    # Python compares text by code points, DynamoDB by the bytes of UTF-8: that is the same order.
    return heapq.merge(*streams, key=lambda entry: entry[1][attribute], reverse=descending)


def _stream(shard: str, part: Slice) -> Iterator[tuple[str, Item, bool]]:
    for item in part.items:
        yield shard, item, False
    if part.end is not None:
        # What follows unseen may come right after the last one seen: nothing beyond that may be shown before it.
        yield shard, part.end, True


def _items(taken: Sequence[tuple[str, Item]]) -> tuple[Item, ...]:
    return tuple(item for _, item in taken)


def _place(at: str, seen: Sequence[tuple[str, Item]], start: Place | None, attribute: str) -> Place:
    """The place at `at`: after everything that was seen of that same time, on this page or the one before."""
    if attribute == Order.NAME.attribute:
        # Keys differ from each other: this one says where to go on in all shards.
        return Place(at)
    last = dict(start.last) if start and start.at == at else {}
    last |= {shard: item["ImageID"] for shard, item in seen if item[attribute] == at}
    return Place(at, last)


def _check(body: bytes, wanted: Wanted) -> bytes:
    """Finds cursors that were cut or changed, or that belong to another question.

    No secret: whoever forges one may read what everybody may read.
    """
    return hashlib.sha256(_KIND + wanted.fingerprint.encode() + b"\n" + body).digest()[:_CHECK_BYTES]


def _place_in(text: str) -> Place:
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    at, *last = _unpacked(raw[_CHECK_BYTES:])
    return Place(at, dict(zip(last[::2], last[1::2], strict=True)))


def _packed(texts: Iterable[str]) -> bytes:
    """Each after its length: keys may hold any character, and none takes more room than in UTF-8."""
    parts = [text.encode() for text in texts]
    return b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)


def _unpacked(body: bytes) -> Iterator[str]:
    end = 0
    while end < len(body):
        start = end + _LENGTH_BYTES
        end = start + int.from_bytes(body[end:start], "big")
        yield body[start:end].decode()


def _possible(place: Place, shards: Collection[str]) -> bool:
    return (
        _is_key(place.at, _MAX_TIME_BYTES)
        and all(shard in shards for shard in place.last)
        and all(_is_key(image_id, _MAX_ID_BYTES) for image_id in place.last.values())
    )


def _is_key(value: str, max_bytes: int) -> bool:
    return 0 < len(value.encode()) <= max_bytes


def _plain(value: Any) -> Any:
    """DynamoDB's numbers as int or float, its sets as lists; bytes, which only a user can have put there, as null."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, set, frozenset)):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, (str, bool)) else None
