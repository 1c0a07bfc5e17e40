from setup_scripts import following
from setup_scripts.following import IDLE, IDLE_ON_AWS, STALLED, follow
from setup_scripts.sending import Sent, Way


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def sent(key, etag="e1", version_id="v1", before=None):
    return Sent(key, etag, version_id, Way.UPLOADED, before)


def record(key, etag="e1", version_id="v1", processed_at="t1"):
    return {"ImageID": key, "ETag": etag, "VersionId": version_id, "ProcessedAt": processed_at}


def run(waiting, read, *, empty=True):
    clock = Clock()
    counts: list[int] = []
    found = follow(
        waiting, read=read, is_queue_empty=lambda: empty, advance=counts.append, sleep=clock.sleep, clock=clock
    )
    return found, counts, clock.now


def test_records_are_counted_as_they_come():
    answers = iter([{}, {"a": record("a")}, {"b": record("b")}])

    found, counts, _ = run([sent("a"), sent("b")], lambda keys: next(answers))

    assert found.keys() == {"a", "b"}
    assert counts == [1, 1]


def test_the_record_of_another_version_is_no_answer():
    old = {"a": record("a", version_id="v0"), "b": record("b", etag="e0"), "c": record("c", processed_at="t0")}

    found, _, _ = run([sent("a"), sent("b"), sent("c", before="t0")], lambda keys: old)

    assert found == {}


def test_with_an_empty_queue_it_gives_up_soon():
    _, _, seconds = run([sent("a")], lambda keys: {}, empty=True)

    assert IDLE <= seconds < IDLE + 2


def test_on_aws_whose_counts_are_late_it_waits_for_more_than_a_minute():
    clock = Clock()
    answers = {60.0: {"a": record("a")}}

    found = follow(
        [sent("a")], read=lambda keys: answers.get(clock.now, {}), is_queue_empty=lambda: True,
        advance=lambda count: None, idle=IDLE_ON_AWS, sleep=clock.sleep, clock=clock,
    )  # fmt: skip

    assert found.keys() == {"a"}


def test_with_messages_in_the_queue_it_waits_longer():
    _, _, seconds = run([sent("a")], lambda keys: {}, empty=False)

    assert STALLED <= seconds < STALLED + 2


def test_a_large_upload_is_asked_for_piece_by_piece(monkeypatch):
    monkeypatch.setattr(following, "_ROUND", 3)
    asked = []

    def read(keys):
        asked.append(len(keys))
        return {key: record(key) for key in keys}

    found, _, _ = run([sent(str(number)) for number in range(8)], read)

    assert asked == [3, 3, 2]
    assert len(found) == 8


def test_a_thousand_that_never_answer_hide_nobody(monkeypatch):
    monkeypatch.setattr(following, "_ROUND", 10)
    waiting = [sent(f"dead {number}") for number in range(15)] + [sent(f"good {number}") for number in range(5)]

    found, _, _ = run(waiting, lambda keys: {key: record(key) for key in keys if key.startswith("good")})

    assert len(found) == 5
