"""`python bulk/backfill.py` on an account in memory: what it sends, and what is left after it died anywhere."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from bulk import backfill
from bulk.backfill_checkpoint import KEY
from bulk.backfill_run import run
from cli.connection import Connection
from cli.exits import CommandError
from cli.state import PlainShelf
from pipeline.images.options import ImageOptions
from pipeline.images.variants import Variants
from tests.functional.aws_account import Dead, changes

NAMES = ("images-bucket", "messages-queue", "dynamodb-table")


@pytest.fixture
def connection(made, tmp_path) -> Connection:
    shelf = PlainShelf({})
    return Connection(target=made.aws.target, aws=made.aws, shelf=shelf, resources=made.resources, home=tmp_path)


@pytest.fixture
def arguments(monkeypatch):
    """The arguments of a command line, as the program itself reads them."""

    def read(*line: str):
        kept = []

        def keep(arguments):
            kept.append(arguments)
            return 0

        monkeypatch.setattr(backfill, "_run", keep)
        assert backfill.main(line) == 0
        return kept[0]

    return read


def put(made, *keys):
    """Objects, each with the version that a record of it would have."""
    bucket = made.resources["images-bucket"]
    return {key: made.aws.s3.put_object(Bucket=bucket, Key=key, Body=b"12345") for key in keys}


def record(made, key, answer, **attributes):
    item = {
        "ImageID": key,
        "Outcome": "DONE",
        "ETag": answer["ETag"].strip('"'),
        "VersionId": answer["VersionId"],
        "OptionsHash": ImageOptions().hash(),
        **attributes,
    }
    made.aws.dynamodb.put_item(
        TableName=made.resources["dynamodb-table"], Item={name: {"S": value} for name, value in item.items()}
    )


def taken(made):
    """The messages that wait; they are taken out of the queue."""
    sqs, url = made.aws.sqs, made.resources["messages-queue"]
    bodies = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def keys_taken(made):
    return sorted(body["image_key"] for body in taken(made))


KEYS = [f"{number:02}.jpg" for number in range(37)]


def test_all_that_is_there_is_sent_once_in_tens(made, connection, arguments, capsys):
    put(made, *KEYS)
    changes(made).clear()

    code = run(connection, arguments("--json"))

    assert code == 0
    assert changes(made) == ["SendMessageBatch"] * 4
    bodies = taken(made)
    assert sorted(body["image_key"] for body in bodies) == KEYS
    assert all(
        body == {"bucket_name": made.resources["images-bucket"], "image_key": body["image_key"]} for body in bodies
    )
    told = json.loads(capsys.readouterr().out)
    assert (told["listed"], told["sent"], told["bytes"], told["dry_run"]) == (37, 37, 185, False)
    assert KEY not in made.resources


def test_what_is_done_with_this_version_and_these_options_is_not_sent(made, connection, arguments, capsys):
    answers = put(made, "done.jpg", "older.jpg", "options.jpg", "failed.jpg", "new.jpg")
    for key in ("done.jpg", "older.jpg"):
        record(made, key, answers[key])
    record(made, "options.jpg", answers["options.jpg"], OptionsHash="others")
    record(made, "failed.jpg", answers["failed.jpg"], Outcome="FAILED")
    put(made, "older.jpg")

    run(connection, arguments())

    assert keys_taken(made) == ["new.jpg", "older.jpg", "options.jpg"]
    told = capsys.readouterr().out
    assert "done already" in told and "--failed sends them again" in told


def test_what_is_done_without_variants_is_sent_once_they_are_switched_on(made, connection, arguments):
    answers = put(made, "plain.jpg", "variants.jpg")
    record(made, "plain.jpg", answers["plain.jpg"])
    hash_of_both = Variants(("WEBP", "AVIF"), (320, 640)).image_options.hash()
    record(made, "variants.jpg", answers["variants.jpg"], OptionsHash=hash_of_both)
    made.resources.update({"variant-formats": "webp,avif", "variant-widths": "320,640"})

    run(connection, arguments())

    assert keys_taken(made) == ["plain.jpg"]


def test_only_what_failed_is_sent_and_told_to_be_done_again(made, connection, arguments):
    answers = put(made, "failed.jpg", "done.jpg", "new.jpg")
    record(made, "failed.jpg", answers["failed.jpg"], Outcome="FAILED")
    record(made, "done.jpg", answers["done.jpg"])

    run(connection, arguments("--failed"))

    assert taken(made) == [
        {"bucket_name": made.resources["images-bucket"], "image_key": "failed.jpg", "force": True},
    ]


def test_by_force_everything_is_sent(made, connection, arguments):
    answers = put(made, "done.jpg", "new.jpg")
    record(made, "done.jpg", answers["done.jpg"])

    run(connection, arguments("--force"))

    assert [(body["image_key"], body["force"]) for body in taken(made)] == [("done.jpg", True), ("new.jpg", True)]


def test_a_prefix_narrows_it(made, connection, arguments):
    put(made, "2023/a.jpg", "2024/b.jpg", "2024/c.jpg", "2025/d.jpg")

    run(connection, arguments("--prefix", "2024/"))

    assert keys_taken(made) == ["2024/b.jpg", "2024/c.jpg"]


def test_a_dry_run_changes_nothing_and_tells_what_it_would_cost(made, connection, arguments, capsys):
    answers = put(made, *KEYS)
    record(made, KEYS[0], answers[KEYS[0]])
    before = dict(made.resources)
    changes(made).clear()

    run(connection, arguments("--dry-run", "--json"))
    as_json = json.loads(capsys.readouterr().out)
    run(connection, arguments("--dry-run"))
    as_text = capsys.readouterr().out

    assert changes(made) == [] and dict(made.resources) == before
    assert (as_json["sent"], as_json["done"], as_json["dry_run"]) == (36, 1, True)
    assert as_json["total"] > 0 and as_json["cost"]["Function"] > 0
    assert "would be sent" in as_text and "Total" in as_text and "$" in as_text


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_run_that_dies_around_any_call_is_completed_by_the_next(made, connection, arguments, when, number):
    put(made, *KEYS)
    changes(made).clear()

    def die(count: int) -> None:
        if count == number:
            raise Dead

    setattr(made.aws, when, die)
    with pytest.raises(Dead):
        run(connection, arguments())
    setattr(made.aws, when, lambda count: None)
    kept = json.loads(made.resources.get(KEY, "{}"))
    run(connection, arguments("--json"))

    sent = Counter(keys_taken(made))
    assert sorted(sent) == KEYS
    # Only the batch whose answer nobody saw may come twice; what came before is not even listed again.
    assert sum(sent.values()) - len(KEYS) == (min(10, 37 - 10 * (number - 1)) if when == "after" else 0)
    assert kept.get("after", "") == ("" if number == 1 else KEYS[10 * (number - 1) - 1])


def stop_half_way(made, connection, arguments):
    put(made, *KEYS)
    changes(made).clear()
    made.aws.before = lambda count: (_ for _ in ()).throw(Dead) if count == 3 else None
    with pytest.raises(Dead):
        run(connection, arguments())
    made.aws.before = lambda count: None


def test_a_resumed_run_tells_the_whole_and_a_finished_one_is_not_resumed(made, connection, arguments, capsys):
    stop_half_way(made, connection, arguments)

    run(connection, arguments("--json"))

    assert json.loads(capsys.readouterr().out)["sent"] == 37
    assert keys_taken(made) == KEYS
    run(connection, arguments("--json"))
    assert json.loads(capsys.readouterr().out)["sent"] == 37, "no record came meanwhile, so all are sent again"


def test_a_dry_run_after_a_stop_counts_what_is_still_to_be_sent(made, connection, arguments, capsys):
    stop_half_way(made, connection, arguments)
    sent = len(taken(made))

    run(connection, arguments("--dry-run", "--json"))
    told = json.loads(capsys.readouterr().out)
    run(connection, arguments("--json"))

    assert (told["sent"], told["listed"]) == (len(KEYS) - sent, len(KEYS) - sent)
    assert len(taken(made)) == told["sent"] < len(KEYS)
    assert json.loads(capsys.readouterr().out)["sent"] == len(KEYS)


@pytest.mark.parametrize("line", [("--force",), ("--prefix", "1"), ("--from-start",)])
def test_a_run_of_another_kind_begins_anew(made, connection, arguments, line):
    stop_half_way(made, connection, arguments)
    taken(made)

    run(connection, arguments(*line))

    assert keys_taken(made) == [key for key in KEYS if line[0] != "--prefix" or key.startswith("1")]


@pytest.mark.parametrize("name", NAMES)
def test_without_a_deployment_the_command_says_what_makes_one(connection, arguments, name):
    del connection.resources[name]

    with pytest.raises(CommandError, match="setup.py"):
        run(connection, arguments())


@pytest.mark.parametrize("line", [("--failed", "--force"), ("--queue-depth", "0"), ("--queue-depth", "x"), ("all",)])
def test_wrong_use_ends_with_2(line, capsys):
    with pytest.raises(SystemExit) as ended:
        backfill.main(line)

    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
