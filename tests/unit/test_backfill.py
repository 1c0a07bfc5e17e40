"""What a backfill sends, and at which pace: decided without any cloud."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bulk.backfill_checkpoint import Checkpoint
from bulk.backfill_choice import Choice, Fate, Mode, Tally
from bulk.backfill_run import Backfill
from bulk.paced_sending import LAG, SILENCE, PacedSender
from cli.cost import backfill_estimate, estimate
from pipeline.inventory import ListedObject
from pipeline.objects import ObjectVersion

VERSION = ObjectVersion("etag", "v1")
OBJECT = ListedObject("a.jpg", VERSION, 100)
SAME = {"Outcome": "DONE", "ETag": "etag", "VersionId": "v1", "OptionsHash": "now"}
OLDER = SAME | {"VersionId": "v0"}
OTHER_OPTIONS = SAME | {"OptionsHash": "then"}
FAILED = SAME | {"Outcome": "FAILED"}
NOTE = {"Note": "mine"}


@pytest.mark.parametrize(
    "item, missing, failed, force",
    [
        (None, Fate.SENT, Fate.NOT_FAILED, Fate.SENT),
        (NOTE, Fate.SENT, Fate.NOT_FAILED, Fate.SENT),
        (SAME, Fate.DONE, Fate.NOT_FAILED, Fate.SENT),
        (OLDER, Fate.SENT, Fate.NOT_FAILED, Fate.SENT),
        (OTHER_OPTIONS, Fate.SENT, Fate.NOT_FAILED, Fate.SENT),
        (FAILED, Fate.FAILED, Fate.SENT, Fate.SENT),
        (FAILED | OLDER | {"Outcome": "FAILED"}, Fate.SENT, Fate.SENT, Fate.SENT),
    ],
    ids=["no record", "a note only", "done", "an older version", "other options", "failed", "failed, older"],
)
def test_what_is_done_with_this_version_and_these_options_is_left_out(item, missing, failed, force):
    fates = [Choice(mode, "now").fate(OBJECT, item) for mode in (Mode.MISSING, Mode.FAILED, Mode.FORCE)]

    assert fates == [missing, failed, force]


def test_without_versions_the_etag_says_which_object_it_was():
    found = ListedObject("a.jpg", ObjectVersion("etag", None), 1)
    item = {"Outcome": "DONE", "ETag": "etag", "OptionsHash": "now"}

    assert Choice(Mode.MISSING, "now").fate(found, item) is Fate.DONE
    assert Choice(Mode.MISSING, "now").fate(found, item | {"ETag": "other"}) is Fate.SENT


def test_a_record_that_outlived_its_object_is_sent_for_and_with_force_every_key_that_is_gone():
    gone = ListedObject("a.jpg", ObjectVersion("", "v2"), 0, is_gone=True)
    fates = {mode: [Choice(mode, "now").fate(gone, item) for item in (None, NOTE, SAME, FAILED)] for mode in Mode}

    assert fates[Mode.MISSING] == fates[Mode.FAILED] == [Fate.GONE, Fate.GONE, Fate.SENT, Fate.SENT]
    assert set(fates[Mode.FORCE]) == {Fate.SENT}


@pytest.mark.parametrize("mode", Mode)
def test_an_archived_object_is_never_sent_because_the_function_could_not_read_it(mode):
    archived = ListedObject("a.jpg", VERSION, 1, is_archived=True)

    assert Choice(mode, "now").fate(archived, FAILED) is Fate.ARCHIVED


def test_pages_are_sent_in_order_in_tens_and_each_place_is_told_after_its_messages():
    keys = [f"{number:03}.jpg" for number in range(57)]
    done = set(keys[5:20])
    events = []
    backfill = Backfill(
        choice=Choice(Mode.MISSING, "now"),
        records=lambda asked: {key: SAME for key in asked if key in done},
        send=lambda sent: events.append(("sent", *sent)),
    )
    pages = [[ListedObject(key, VERSION, 10) for key in keys[start : start + 25]] for start in (0, 25, 50)]
    tally = Tally()

    for place in backfill.run(pages, tally):
        events.append(("place", place))

    sent = [event[1:] for event in events if event[0] == "sent"]
    assert [key for keys in sent for key in keys] == [key for key in keys if key not in done]
    assert max(map(len, sent)) == 10
    assert (tally.sent, tally.listed, tally.bytes) == (42, 57, 420)
    assert events[-1] == ("place", keys[-1])
    for before, after in zip(events, events[1:], strict=False):
        assert before[0] == "place" or after == ("place", before[-1]) or after[1] > before[-1]


def test_an_empty_bucket_has_no_place():
    backfill = Backfill(choice=Choice(Mode.MISSING, "now"), records=lambda asked: {}, send=print)

    assert list(backfill.run([[]], Tally())) == []


def test_a_run_of_another_kind_does_not_go_on_from_here():
    resources: dict[str, str] = {}
    tally = Tally()
    tally.add(Fate.SENT, 5)
    Checkpoint(resources, "all").save("k.jpg", tally)

    assert Checkpoint(resources, "all").load() == ("k.jpg", tally)
    assert Checkpoint(resources, "only 2024/").load() == ("", Tally())


def test_a_place_is_forgotten_once_and_may_be_forgotten_twice():
    resources: dict[str, str] = {}
    Checkpoint(resources, "all").save("k.jpg", Tally())

    Checkpoint(resources, "all").clear()
    Checkpoint(resources, "all").clear()

    assert Checkpoint(resources, "all").load() == ("", Tally())


class Draining:
    """A queue from which `speed` messages a second are taken; its count is `late` seconds old."""

    def __init__(self, speed: float, late: float = 0, held: int = 0) -> None:
        self.now = 0.0
        self.speed, self.late = speed, late
        self.held = float(held)
        self.history = [(0.0, self.held)]
        self.most = self.held
        self.said: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.held = max(0.0, self.held - self.speed * seconds)
        self.history.append((self.now, self.held))

    def waiting(self) -> int:
        return int([held for at, held in self.history if at <= max(0, self.now - self.late)][-1])

    def send_many(self, bodies) -> None:
        self.held += len(bodies)
        self.most = max(self.most, self.held)
        self.history.append((self.now, self.held))

    def sender(self, depth: int) -> PacedSender:
        return PacedSender(
            self,  # type: ignore[arg-type]
            self.waiting,
            depth,
            self.said.append,
            sleep=self.sleep,
            clock=lambda: self.now,
        )


BODIES = [{"image_key": str(number)} for number in range(10)]


@pytest.mark.parametrize("late", [0, 3, LAG])
@pytest.mark.parametrize("speed", [2, 50])
def test_never_more_than_the_bound_wait_even_where_the_count_is_late(speed, late):
    queue = Draining(speed, late)
    sender = queue.sender(60)

    for _ in range(40):
        sender.send(BODIES)

    assert 50 <= queue.most <= 60


def test_uploads_of_others_take_room_away():
    queue = Draining(1, held=95)

    queue.sender(100).send(BODIES)

    assert queue.most <= 100 and queue.now >= 5


def test_a_queue_that_is_fast_is_asked_no_more_often_than_its_room_is_used_up():
    queue = Draining(1e9)
    asked = 0

    def count() -> int:
        nonlocal asked
        asked += 1
        return 0

    sender = PacedSender(queue, count, 1000, print, sleep=queue.sleep, clock=lambda: queue.now)  # type: ignore[arg-type]
    for _ in range(100):
        sender.send(BODIES)

    assert asked == 1


def test_a_bound_below_ten_makes_smaller_batches():
    assert Draining(1).sender(3).batch == 3
    assert Draining(1).sender(1000).batch == 10


def test_a_person_is_told_when_nothing_takes_the_messages_out():
    queue = Draining(0, held=100)

    def stop_after_five_minutes(seconds: float) -> None:
        queue.sleep(seconds)
        if queue.now > 5 * SILENCE:
            raise TimeoutError

    sender = queue.sender(100)
    sender.sleep = stop_after_five_minutes
    with pytest.raises(TimeoutError):
        sender.send(BODIES)

    assert 3 <= len(queue.said) <= 5
    assert "100 messages wait" in queue.said[0] and "function" in queue.said[0]


def test_sending_what_is_there_costs_less_than_uploading_it_and_keeping_it():
    found = backfill_estimate(1000, Decimal(4000), listed=1000)

    assert Decimal(0) < found.total < estimate(1000, Decimal(4)).total
    assert "Originals" not in {line.what for line in found.lines}


def test_looking_at_objects_that_are_done_costs_little_and_is_told():
    found = backfill_estimate(0, Decimal(0), listed=1_000_000)

    assert {line.what for line in found.lines if line.dollars} == {"Listing", "Table, looking"}
    assert Decimal("0.01") < found.total < Decimal(1)
