"""A MongoDB of one's own: pymongo's wire messages in and out, mongomock behind. It knows what the scans ask.

Source: the MongoDB wire protocol (OP_MSG, and OP_QUERY with OP_REPLY for the first handshake) and its commands.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bson
import mongomock

_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_HEADER = struct.Struct("<iiii")
Document = dict[str, Any]


@dataclass
class MongoServer:
    """`commands`: what came, in order. `disturb(command)` may raise ConnectionError, which hangs up; `damage` takes
    each answer as bytes, and says which ones to send.
    """

    url: str
    client: Any = field(default_factory=mongomock.MongoClient)
    commands: list[Document] = field(default_factory=list)
    disturb: Callable[[Document], None] = lambda command: None
    damage: Callable[[bytes], bytes] = bytes

    @property
    def database(self) -> Any:
        return self.client["podcasts"]


@contextmanager
def running_mongo() -> Iterator[MongoServer]:
    server = _Server(("127.0.0.1", 0), _Connection)
    server.mongo = MongoServer(f"mongodb://127.0.0.1:{server.server_address[1]}/podcasts")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.mongo
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    mongo: MongoServer


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        while header := self.rfile.read(_HEADER.size):
            length, request_id, _, operation = _HEADER.unpack(header)
            body = self.rfile.read(length - _HEADER.size)
            command = _from_query(body) if operation == _OP_QUERY else _from_message(body)
            self.server.mongo.commands.append(command)
            try:
                self.server.mongo.disturb(command)
                answer = self.server.mongo.damage(bson.encode(_Answers(self.server.mongo).to(command)))
            except ConnectionError:
                return
            self.wfile.write(_framed(operation, request_id, answer))


def _from_query(body: bytes) -> Document:
    name_end = body.index(b"\0", 4)
    return bson.decode(body[name_end + 1 + 8 :])


def _from_message(body: bytes) -> Document:
    """The command, and the documents that came beside it under their names."""
    command, place = Document(), 4
    while place < len(body):
        kind, place = body[place], place + 1
        (size,) = struct.unpack_from("<i", body, place)
        section = body[place : place + size]
        if kind == 0:
            command |= bson.decode(section)
        else:
            name_end = section.index(b"\0", 4)
            command[section[4:name_end].decode()] = bson.decode_all(section[name_end + 1 :])
        place += size
    return command


def _framed(operation: int, request_id: int, answer: bytes) -> bytes:
    if operation == _OP_QUERY:
        content, kind = struct.pack("<iqii", 8, 0, 0, 1) + answer, _OP_REPLY
    else:
        content, kind = struct.pack("<i", 0) + b"\0" + answer, _OP_MSG
    return _HEADER.pack(_HEADER.size + len(content), 1, request_id, kind) + content


@dataclass
class _Answers:
    mongo: MongoServer

    def to(self, command: Document) -> Document:
        name = next(iter(command))
        answer: Callable[[Document], Document] | None = getattr(self, f"_{name.lower()}", None)
        if answer is None:
            return {"ok": 0, "errmsg": f"no such command: '{name}'", "code": 59, "codeName": "CommandNotFound"}
        return {**answer(command), "ok": 1.0}

    def _hello(self, command: Document) -> Document:
        return {
            "helloOk": True,
            "isWritablePrimary": True,
            "ismaster": True,
            "maxBsonObjectSize": 16_777_216,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "minWireVersion": 0,
            "maxWireVersion": 25,
            "readOnly": False,
        }

    _ismaster = _hello

    def _endsessions(self, command: Document) -> Document:
        return {}

    def _find(self, command: Document) -> Document:
        found = self._collection(command["find"]).find(command["filter"], command.get("projection"))
        found = found.sort(list(command.get("sort", {"_id": 1}).items())).limit(command.get("limit", 0))
        # All of it in one batch: what the server may keep back is for its own tests.
        return self._cursor(command["find"], list(found))

    def _aggregate(self, command: Document) -> Document:
        return self._cursor(
            command["aggregate"], list(self._collection(command["aggregate"]).aggregate(command["pipeline"]))
        )

    def _update(self, command: Document) -> Document:
        collection, matched, modified = self._collection(command["update"]), 0, 0
        for one in command["updates"]:
            update = collection.update_many if one.get("multi") else collection.update_one
            done = update(one["q"], one["u"])
            matched, modified = matched + done.matched_count, modified + done.modified_count
        return {"n": matched, "nModified": modified}

    def _collection(self, name: str) -> Any:
        return self.mongo.database[name]

    def _cursor(self, name: str, batch: list[Document]) -> Document:
        return {"cursor": {"id": 0, "ns": f"podcasts.{name}", "firstBatch": batch}}
