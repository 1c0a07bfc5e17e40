"""Sends a message for every document whose images have changed since the last scan.

What was sent is kept beside each document: `last_image_url` and `last_itunes_image`, each for itself, so that a changed
cover never hides behind an unchanged picture. While a scan has a batch in hand its documents carry a lock with an end:
a second scan leaves them alone, and the next one takes what a scan that died, or ran out of time, left behind.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pymongo import UpdateOne

from pipeline.image_service.messages import ABSENT, IMAGE_FIELDS

if TYPE_CHECKING:
    from pymongo.collection import Collection

Document = dict[str, Any]

BATCH = 100
#: Long enough for a hundred messages on a bad day.
LOCKED_FOR = timedelta(minutes=10)
LOCK = "images_lock"
#: As MongoDB sorts them.
_ID_TYPES = ("number", "string", "object", "binData", "objectId", "bool", "date")
_SHOWN = 200
#: What stands in a text that was read for bytes that are not UTF-8.
_NOT_UTF_8 = "\ufffd"


def sent_field(name: str) -> str:
    """Where the URL lies that was sent last."""
    return f"last_{name}"


#: All that is read of a document: what else is in it may be what Python cannot hold.
_READ = [*IMAGE_FIELDS, *(sent_field(name) for name in IMAGE_FIELDS)]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Refused:
    """A document of which no message can be made, and why. It is passed over, or it would end every scan."""

    id: str
    reason: str


@dataclass(frozen=True)
class Scanned:
    """What a scan came to: messages sent, documents that were left to another scan, and such as no message can tell."""

    sent: int
    locked: int
    refused: tuple[Refused, ...] = ()


@dataclass
class Scan:
    """One run over one collection. `send` takes a message, and raises TypeError or ValueError for what can be none;
    `told` takes how many documents were just done.
    """

    collection: Collection[Document]
    send: Callable[[Mapping[str, Any]], object]
    extra: Mapping[str, Any]
    told: Callable[[int], object] = lambda count: None
    now: Callable[[], datetime] = utc_now
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)

    def waiting(self) -> int:
        """How many documents have changed, locked ones too."""
        return self.collection.count_documents(changed())

    def run(self) -> Scanned:
        """Send for all that have changed. Stopped half-way it loses nothing: what is not kept as sent is sent again."""
        sent, refused = 0, list[Refused]()
        for ids in self._batches():
            sent += self._work(ids, refused)
        locked = self.collection.count_documents({**changed(), LOCK: {"$ne": None}})
        return Scanned(sent, locked, tuple(refused))

    def messages(self) -> Iterator[Document]:
        """What `run` would send now, for a person to read: nothing is locked, and nothing kept."""
        found = self.collection.find(changed(), _READ).sort("_id", 1)
        return (self.message(document) for document in found if _unsent(document))

    def message(self, document: Document) -> Document:
        return {**self.extra, "_id": document["_id"], **_unsent(document)}

    def _batches(self) -> Iterator[list[Any]]:
        """Ids of changed documents: each is met once, however often it changes meanwhile.

        One type after the other: ids are sorted across types, but `$gt` finds only what has the type of its value.
        """
        for kind in _ID_TYPES:
            ids = self._ids({"_id": {"$type": kind}}, BATCH)
            while ids:
                yield ids
                # MongoDB does not know the others by what was read of them.
                known = [each for each in ids if not _is_damaged(each)]
                is_last = len(ids) < BATCH or not known
                ids = [] if is_last else self._ids({"_id": {"$type": kind, "$gt": known[-1]}}, BATCH)
        # No collection has many of these: null, for one, can be the id of one document only.
        rest = self._ids({"$nor": [{"_id": {"$type": kind}} for kind in _ID_TYPES]}, 0)
        yield from (rest[start : start + BATCH] for start in range(0, len(rest), BATCH))

    def _ids(self, query: Mapping[str, Any], limit: int) -> list[Any]:
        found = self.collection.find({**changed(), **query}, {"_id": 1}).sort("_id", 1).limit(limit)
        return [document["_id"] for document in found]

    def _work(self, ids: Sequence[Any], refused: list[Refused]) -> int:
        """Lock what nobody else has, send it, and keep what was sent."""
        until = self.now() + LOCKED_FOR
        lock = {LOCK: {"owner": self.owner, "until": until}}
        self.collection.update_many({"_id": {"$in": list(ids)}, **self._free()}, {"$set": lock})
        kept: list[UpdateOne] = []
        sent = 0
        try:
            for document in self.collection.find({"_id": {"$in": list(ids)}, **self._mine()}, _READ):
                if self.now() >= until:
                    # Another scan may have the rest in hand by now.
                    break
                is_sent = self._sends(document, refused)
                kept.append(UpdateOne({"_id": document["_id"], **self._mine()}, _keeping(document, is_sent)))
                sent += is_sent
                self.told(1)
        finally:
            # Also what was sent before an error: nobody has to send it again.
            if kept:
                self.collection.bulk_write(kept, ordered=False)
        return sent

    def _sends(self, document: Document, refused: list[Refused]) -> bool:
        # A list of texts counts as a text where MongoDB is asked for the type.
        images = _unsent(document)
        if not images:
            return False
        try:
            if _is_damaged(images):
                raise ValueError("a URL with bytes that are not UTF-8")
            self.send(self.message(document))
        except (TypeError, ValueError) as error:
            refused.append(Refused(str(document["_id"])[:_SHOWN], str(error)[:_SHOWN]))
            return False
        return True

    def _free(self) -> dict[str, Any]:
        return {"$or": [{LOCK: None}, {f"{LOCK}.until": {"$lte": self.now()}}]}

    def _mine(self) -> dict[str, Any]:
        return {f"{LOCK}.owner": self.owner}


def _is_damaged(read: object) -> bool:
    return _NOT_UTF_8 in str(read)


def changed() -> dict[str, Any]:
    """The documents with an image that was not sent yet, as MongoDB is asked for them."""
    return {"$and": [{"$or": [_new(name) for name in IMAGE_FIELDS]}]}


def _new(name: str) -> dict[str, Any]:
    present = {name: {"$type": "string", "$nin": list(ABSENT)}}
    return {**present, "$expr": {"$ne": [f"${name}", {"$ifNull": [f"${sent_field(name)}", None]}]}}


def _unsent(document: Document) -> Document:
    """Its images that were not sent yet, each by its own field."""
    images = {name: document.get(name) for name in IMAGE_FIELDS}
    return {
        name: url
        for name, url in images.items()
        if isinstance(url, str) and url not in ABSENT and url != document.get(sent_field(name))
    }


def _keeping(document: Document, is_sent: bool) -> Document:
    """What was sent, from the document as it was read: what has been changed since is found by the next scan."""
    sent = {sent_field(name): url for name, url in _unsent(document).items()} if is_sent else {}
    return {"$unset": {LOCK: ""}, **({"$set": sent} if sent else {})}
