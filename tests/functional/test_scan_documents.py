"""Documents that the scans of MongoDB meet: ids and fields of every kind, and batches that take too long."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pymongo
import pytest
from bson import Binary, DatetimeMS
from bson.binary import UuidRepresentation

from imageservice.scans.command import CHANNELS, main
from imageservice.scans.scan import BATCH, LOCK, LOCKED_FOR, Scan
from imageservice.services.sqs import SQS
from tests.functional.sent_messages import Queue
from tests.mongo_server import running_mongo

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = DatetimeMS(2**60)
ID = UUID("0f1d7a5c-9c0b-42a0-817a-1b2c30000001")


@pytest.fixture
def mongo():
    with running_mongo() as mongo:
        yield mongo


def fill(mongo, *documents):
    mongo.database.channel.insert_many([{"_id": number, **one} for number, one in enumerate(documents)])


def run(mongo, *arguments, options=""):
    """The exit code, and what lies in the queue."""
    queue = Queue()
    sender = SQS(cast(Any, queue), {"QUEUE_URL": "https://sqs.test/1/queue"})
    code = main(CHANNELS, arguments, {"MONGO_URL": mongo.url + options}, sender=lambda environ: sender)
    return code, [json.loads(body) for body in queue.bodies]


def damaged(answer):
    """The letters of "broken" become bytes that are no letters, and a title what is no type of a field."""
    return answer.replace(b"broken", b"\xff" * 6).replace(b"\x02title\0", b"\x66title\0")


def test_a_document_that_python_cannot_read_costs_itself_and_no_other(mongo, capsys):
    mongo.damage = damaged
    fill(
        mongo,
        {"image_url": "http://a", "title": "a", "published": NEVER},
        {"image_url": "http://broken"},
        {"image_url": "http://b", "last_image_url": NEVER},
        {"image_url": "http://c", "last_image_url": "broken"},
    )

    code, sent = run(mongo)

    assert code == 1 and [message["_id"] for message in sent] == [0, 2, 3]
    assert "not sent: 1: a URL with bytes that are not UTF-8" in capsys.readouterr().err
    assert mongo.database.channel.count_documents({LOCK: {"$exists": True}}) == 0
    assert "last_image_url" not in mongo.database.channel.find_one({"_id": 1})


def test_a_dry_run_reads_what_python_cannot_hold(mongo, capsys):
    mongo.damage = damaged
    fill(mongo, {"image_url": "http://a", "title": "a", "published": NEVER}, {"image_url": "http://b"})

    code, _ = run(mongo, "--dry-run")

    assert code == 0
    assert [json.loads(line)["_id"] for line in capsys.readouterr().out.splitlines()] == ["0", "1"]


def test_an_id_that_is_not_utf_8_hides_none_of_those_behind_it(mongo):
    mongo.damage = damaged
    ids = [*(f"{number:03}" for number in range(BATCH - 1)), "broken", "z"]
    fill(mongo, *({"_id": each, "image_url": "http://a"} for each in ids))

    _, sent = run(mongo)

    assert [message["_id"] for message in sent] == [each for each in ids if each != "broken"]


def test_ids_that_are_all_not_utf_8_do_not_hold_a_scan_for_ever(mongo):
    mongo.damage = damaged
    fill(mongo, *({"_id": f"broken{number:03}", "image_url": "http://a"} for number in range(BATCH + 1)))

    assert run(mongo) == (0, [])


def test_a_damaged_document_ends_a_scan_with_one_line(mongo, capsys):
    # No such type of a field: the length of what follows is not known, either.
    mongo.damage = lambda answer: answer.replace(b"\x02image_url\0", b"\x66image_url\0")
    fill(mongo, {"image_url": "http://a"})

    code, sent = run(mongo)

    assert (code, sent) == (1, [])
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: MongoDB: a document is damaged: ")


@pytest.mark.parametrize(
    ("options", "kept_as"),
    [("", UuidRepresentation.STANDARD), ("?uuidRepresentation=javaLegacy", UuidRepresentation.JAVA_LEGACY)],
)
def test_an_id_that_is_a_uuid_is_sent_as_its_text_and_kept_as_sent(mongo, options, kept_as):
    fill(mongo, {"_id": Binary.from_uuid(ID, kept_as), "image_url": "http://a"})

    first, second = run(mongo, options=options), run(mongo, options=options)

    assert [message["_id"] for message in first[1]] == [str(ID)]
    assert (first[0], second) == (0, (0, []))


def test_a_batch_whose_lock_has_ended_leaves_the_rest_and_the_lock_of_another_alone(mongo):
    fill(mongo, {"image_url": "http://a"}, {"image_url": "http://b"}, {"image_url": "http://c"})
    time, sent = [NOW], list[Any]()
    other = {"owner": "other", "until": NOW + 2 * LOCKED_FOR}

    def send_slowly(message):
        sent.append(message["_id"])
        time[0] += LOCKED_FOR
        mongo.database.channel.update_many({"_id": {"$in": [0, 1]}}, {"$set": {LOCK: other, "last_image_url": "newer"}})

    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongo.url, tz_aware=True)
    with client:
        done = Scan(client["podcasts"]["channel"], send=send_slowly, extra={}, now=lambda: time[0]).run()

    assert sent == [0] and (done.sent, done.locked) == (1, 3)
    kept = list(mongo.database.channel.find().sort("_id", 1))
    assert [one[LOCK]["owner"] == "other" for one in kept] == [True, True, False]
    assert [one.get("last_image_url") for one in kept] == ["newer", "newer", None]
