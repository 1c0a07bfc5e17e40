"""The scans of MongoDB: pymongo itself, its wire messages answered by mongomock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pymongo
import pytest
from botocore.exceptions import ClientError
from bson import ObjectId

from imageservice.scans.command import CHANNELS, EPISODES, main
from imageservice.scans.scan import BATCH, LOCK, LOCKED_FOR, Scan
from imageservice.scans.settings import mongo_url
from imageservice.services.sqs import SQS
from pipeline.settings import ROOT, SettingsError
from tests.functional.sent_messages import Queue
from tests.mongo_server import running_mongo
from tests.unheard import unheard

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def mongo():
    with running_mongo() as mongo:
        yield mongo


@pytest.fixture
def channels(mongo):
    """The collection as the product sees it."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongo.url, tz_aware=True)
    with client:
        yield client["podcasts"]["channel"]


def fill(mongo, *documents, collection="channel"):
    mongo.database[collection].insert_many([{"_id": number, **one} for number, one in enumerate(documents)])


def scan(collection, sent, *, now=NOW, **options):
    return Scan(collection, send=sent.append, extra={"redirect_queue": "ChannelImages"}, now=lambda: now, **options)


def test_a_message_is_sent_for_each_new_image_and_then_no_more(mongo, channels):
    fill(mongo, {"image_url": "http://a", "itunes_image": "http://b"}, {"image_url": "http://c"}, {"title": "none"})
    sent: list[Any] = []

    first = scan(channels, sent).run()
    second = scan(channels, sent).run()

    assert sent == [
        {"redirect_queue": "ChannelImages", "_id": 0, "image_url": "http://a", "itunes_image": "http://b"},
        {"redirect_queue": "ChannelImages", "_id": 1, "image_url": "http://c"},
    ]
    assert (first.sent, second.sent) == (2, 0)


def test_only_the_image_that_changed_is_sent_and_neither_is_taken_for_the_other(mongo, channels):
    fill(mongo, {"image_url": "http://a", "itunes_image": "http://b"})
    sent: list[Any] = []
    scan(channels, sent).run()
    sent.clear()

    # The new cover has the address that the other image had, and the other way round.
    mongo.database.channel.update_one({"_id": 0}, {"$set": {"itunes_image": "http://a"}})
    scan(channels, sent).run()
    mongo.database.channel.update_one({"_id": 0}, {"$set": {"image_url": "http://b"}})
    scan(channels, sent).run()

    assert [{name: one[name] for name in one if "image" in name} for one in sent] == [
        {"itunes_image": "http://a"},
        {"image_url": "http://b"},
    ]
    kept = mongo.database.channel.find_one()
    assert (kept["last_image_url"], kept["last_itunes_image"]) == ("http://b", "http://a")


@pytest.mark.parametrize("nothing", ["N/A", "", None, 5, ["http://a"]])
def test_what_is_no_url_is_not_sent(mongo, channels, nothing):
    fill(mongo, {"image_url": nothing, "itunes_image": nothing})

    assert scan(channels, []).run().sent == 0


def test_batches_of_a_hundred_are_locked_sent_and_kept(mongo, channels):
    fill(mongo, *({"image_url": f"http://{number}"} for number in range(2 * BATCH + 50)))
    told: list[int] = []

    done = scan(channels, [], told=told.append).run()

    locks = [command for command in mongo.commands if "update" in command and command["updates"][0].get("multi")]
    assert done.sent == sum(told) == 250
    assert [len(one["updates"][0]["q"]["_id"]["$in"]) for one in locks] == [100, 100, 50]
    assert mongo.database.channel.count_documents({LOCK: {"$exists": True}}) == 0


def test_ids_of_all_types_are_met_once(mongo, channels):
    ids: list[Any] = [f"s{number:03}" for number in range(BATCH + 20)]
    # mongomock takes True for 1.
    ids += [*range(2, BATCH + 2), 2.5, ObjectId(), ObjectId(), b"bytes", datetime(2026, 1, 1), True, None, {"a": 1}]
    mongo.database.channel.insert_many([{"_id": each, "image_url": f"http://{each}"} for each in ids])
    sent: list[Any] = []

    found = scan(channels, sent).run()

    assert found.sent == len(ids) == len(sent)
    assert {message["image_url"] for message in sent} == {f"http://{each}" for each in ids}


def test_a_second_scan_leaves_alone_what_the_first_has_in_hand(mongo, channels):
    fill(mongo, {"image_url": "http://a"}, {"image_url": "http://b"})
    inner: list[Any] = []

    def send_and_scan_again(message):
        if message["_id"] == 0:
            inner.append(scan(channels, inner).run())

    Scan(channels, send=send_and_scan_again, extra={}, now=lambda: NOW).run()

    [second] = inner
    assert (second.sent, second.locked) == (0, 2)


def test_the_lock_of_a_scan_that_died_ends_and_the_next_takes_over(mongo, channels):
    fill(mongo, {"image_url": "http://a", LOCK: {"owner": "dead", "until": NOW + LOCKED_FOR}})
    sent: list[Any] = []

    early = scan(channels, sent, now=NOW + timedelta(minutes=1)).run()
    late = scan(channels, sent, now=NOW + LOCKED_FOR).run()

    assert (early.sent, early.locked, late.sent) == (0, 1, 1)


def test_what_was_sent_before_an_error_is_not_sent_again(mongo, channels):
    fill(mongo, *({"image_url": f"http://{number}"} for number in range(3)))
    sent: list[Any] = []

    def send(message):
        if message["_id"] == 2:
            raise RuntimeError("no queue")
        sent.append(message["_id"])

    with pytest.raises(RuntimeError):
        Scan(channels, send=send, extra={}, now=lambda: NOW).run()
    again: list[Any] = []
    scan(channels, again, now=NOW + LOCKED_FOR).run()

    assert sent == [0, 1] and [message["_id"] for message in again] == [2]


def test_an_image_that_changes_while_it_is_sent_is_found_by_the_next_scan(mongo, channels):
    fill(mongo, {"image_url": "http://old"})

    def change(message):
        mongo.database.channel.update_one({"_id": 0}, {"$set": {"image_url": "http://new"}})

    Scan(channels, send=change, extra={}, now=lambda: NOW).run()
    sent: list[Any] = []
    scan(channels, sent).run()

    assert [message["image_url"] for message in sent] == ["http://new"]


class Sender:
    """Stands where the client of the image service stands."""

    def __init__(self, environ=None):
        self.sent = []

    def send_message_to_topic(self, message):
        self.sent.append(message)


def run(mongo, *arguments, kind=CHANNELS, **environ):
    sender = Sender()
    code = main(kind, list(arguments), {"MONGO_URL": mongo.url, **environ}, sender=lambda environ: sender)
    return code, sender.sent


def test_the_commands_say_whom_to_tell_and_how_many_were_sent(mongo, capsys):
    fill(mongo, {"image_url": "http://a"})
    fill(mongo, {"itunes_image": "http://b"}, collection="episodes")

    channel = run(mongo, "--json")
    episode = run(mongo, kind=EPISODES, SCAN_REDIRECT_QUEUE="Mine", SCAN_POSTBACK_URL="http://me", SCAN_BUCKET_NAME="B")

    assert channel == (
        0,
        [{"redirect_queue": "ChannelImages", "bucket_name": "channel", "_id": 0, "image_url": "http://a"}],
    )
    told = {"redirect_queue": "Mine", "postback_url": "http://me", "bucket_name": "B"}
    assert episode == (0, [{**told, "_id": 0, "itunes_image": "http://b"}])
    assert capsys.readouterr().out.splitlines() == ['{"sent": 1, "locked": 0, "refused": 0}', "1 messages sent"]


def test_a_dry_run_prints_the_messages_and_changes_nothing(mongo, capsys):
    fill(mongo, {"image_url": "http://a"})

    code, sent = run(mongo, "--dry-run")

    assert (code, sent) == (0, []) and not [command for command in mongo.commands if "update" in command]
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["image_url"] == "http://a"


def test_a_server_that_hangs_up_is_one_line_and_no_password(mongo, capsys):
    def hang_up(command):
        raise ConnectionError

    mongo.disturb = hang_up
    url = mongo.url.replace("mongodb://", "mongodb://me:very-secret@") + "?serverSelectionTimeoutMS=100"

    code = main(CHANNELS, [], {"MONGO_URL": url}, connect=lambda url, **_: pymongo.MongoClient(url))

    said = capsys.readouterr().err
    assert code == 254 and said.startswith("error: MongoDB: ") and "very-secret" not in said


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "neither MONGO_URL nor MONGO_URL_DEVELOP is set"),
        ({"ENVIRONMENT": "PRODUCTION"}, "MONGO_URL_PRODUCTION"),
        ({"DB_ENVIRONMENT": "STAGING"}, "is neither PRODUCTION nor DEVELOP"),
        ({"MONGO_URL": "mongodb://127.0.0.1:1"}, "mongodb://user:password@host/database"),
        ({"MONGO_URL": "mongodb://me:very/secret@127.0.0.1:1/db"}, "mongodb://user:password@host/database"),
        ({"MONGO_URL": "mongodb://127.0.0.1:x/db"}, "mongodb://user:password@host/database"),
        ({"MONGO_URL": "mongodb://127.0.0.1:1/db?tls=true&tlsCAFile=/nope"}, "must be there"),
        ({"MONGO_URL": "http://127.0.0.1"}, "cannot be used"),
    ],
)
def test_a_database_that_is_not_named_well_ends_it_with_2_and_a_cure(environ, says, capsys):
    assert main(CHANNELS, [], environ) == 2
    assert says in capsys.readouterr().err


def test_which_database_counts():
    both = {"MONGO_URL_PRODUCTION": "production", "MONGO_URL_DEVELOP": "develop"}

    assert mongo_url(both) == "develop"
    assert mongo_url({**both, "ENVIRONMENT": "PRODUCTION"}) == "production"
    assert mongo_url({**both, "DB_ENVIRONMENT": "PRODUCTION"}) == "production"
    assert mongo_url({**both, "ENVIRONMENT": "PRODUCTION", "DB_ENVIRONMENT": "DEVELOP"}) == "develop"
    assert mongo_url({**both, "MONGO_URL": "mine", "DB_ENVIRONMENT": "PRODUCTION"}) == "mine"
    with pytest.raises(SettingsError):
        mongo_url({"MONGO_URL_PRODUCTION": "production"})


@pytest.mark.parametrize("name", ["channel", "episodes"])
def test_the_scripts_have_the_printed_names(name):
    command = [sys.executable, "-m", f"scripts.resize_images_from_{name}_collection", "--help"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 0 and "--dry-run" in ended.stdout
    source = (ROOT / "scripts" / f"resize_images_from_{name}_collection.py").read_text()
    assert len([line for line in source.splitlines() if line]) == 3


def test_a_scan_that_is_killed_is_gone_on_with(mongo, channels, tmp_path):
    fill(mongo, *({"image_url": f"http://{number}"} for number in range(250)))
    code = (
        "import os, sys; from imageservice.scans.command import CHANNELS, main; sent = []\n"
        "class Sender:\n"
        "    def __init__(self, environ): self.file = open(sys.argv[1], 'a')\n"
        "    def send_message_to_topic(self, message):\n"
        "        print(message['image_url'], file=self.file, flush=True); sent.append(1)\n"
        "        if len(sent) == 150: os.kill(os.getpid(), int(sys.argv[2]))\n"
        "sys.exit(main(CHANNELS, [], sender=Sender))"
    )
    log = tmp_path / "sent"
    command = [sys.executable, "-c", code, str(log), str(int(signal.SIGKILL))]
    environ = {**os.environ, "MONGO_URL": mongo.url}
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, timeout=60)

    rest: list[Any] = []
    scan(channels, rest, now=datetime.now(UTC) + LOCKED_FOR).run()

    assert ended.returncode == -signal.SIGKILL
    before = set(log.read_text().split())
    after = {message["image_url"] for message in rest}
    assert len(before) == 150 and before | after == {f"http://{number}" for number in range(250)}
    # The first batch was kept as sent; of the second, in hand when it died, all is sent again.
    assert len(after) == 150


class OlderQueue(Queue):
    """One that was made when messages had 256 KiB at most."""

    def send_message(self, *, QueueUrl, MessageBody):
        if len(MessageBody) > 262_144:
            text = "One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes."
            raise ClientError({"Error": {"Code": "InvalidParameterValue", "Message": text}}, "SendMessage")
        return super().send_message(QueueUrl=QueueUrl, MessageBody=MessageBody)


def test_a_document_that_is_too_long_for_an_older_queue_holds_up_nobody(mongo, capsys):
    fill(mongo, {"image_url": "http://a"}, {"image_url": "data:" + "a" * 300_000}, {"image_url": "http://b"})
    queue = OlderQueue()
    sender = SQS(cast(Any, queue), {"QUEUE_URL": "https://sqs.test/1/queue"})

    code = main(CHANNELS, [], {"MONGO_URL": mongo.url}, sender=lambda environ: sender)

    assert code == 1
    assert [json.loads(body)["_id"] for body in queue.bodies] == [0, 2]
    assert "not sent: 1: the message has 300" in capsys.readouterr().err


def test_documents_that_no_message_can_tell_are_named_and_hold_up_nobody(mongo, capsys):
    fill(
        mongo,
        {"_id": "a", "image_url": "http://" + "a" * 2_000_000},
        {"_id": b"\x1b]0;owned\x07", "image_url": "http://bytes"},
        {"_id": "b\nnot sent: c", "image_url": "http://x", "itunes_image": '\n{"level":"ERROR"}\x1b[31m'},
    )
    queue = Queue()
    sender = SQS(cast(Any, queue), {"QUEUE_URL": "https://sqs.test/1/queue"})

    codes = [main(CHANNELS, [], {"MONGO_URL": mongo.url}, sender=lambda environ: sender) for _ in range(2)]

    assert codes == [1, 1]
    assert [json.loads(body)["_id"] for body in queue.bodies] == ["b\nnot sent: c"]
    assert mongo.database.channel.count_documents({LOCK: {"$exists": True}}) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line]
    assert [line.split(": ")[:2] for line in told] == [["not sent", "a"], ["not sent", r"b'\x1b]0;owned\x07'"]] * 2
    assert all(line.isprintable() for line in told)


def test_a_reader_who_has_gone_does_not_hide_what_was_not_sent(mongo, capsys):
    fill(mongo, {"_id": "a", "image_url": "http://" + "a" * 2_000_000})
    sender = SQS(cast(Any, Queue()), {"QUEUE_URL": "https://sqs.test/1/queue"})

    with unheard():
        assert main(CHANNELS, [], {"MONGO_URL": mongo.url}, sender=lambda environ: sender) == 1

    assert "not sent: a" in capsys.readouterr().err
