"""What the CSV program could not finish: tried again, told, and gone on from in another run."""

from __future__ import annotations

import pickle

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bulk.compress.journal import Journal
from bulk.compress.options import Options
from bulk.compress.outcome import Outcome
from bulk.compress.run import PAUSES
from bulk.compress.work import Order, Place, compress
from bulk.csv_rows import Row
from cli.exits import CommandError
from tests.functional.compress_bench import ANOTHER, JPEG
from tests.functional.logins import OVER


def fail(s3, operation, times, error):
    """The next `times` calls of `operation` end in `error`."""
    left = [times]

    def raise_it(**_):
        if left[0]:
            left[0] -= 1
            raise error

    s3.meta.events.register(f"before-send.s3.{operation}", raise_it)


def test_what_could_not_be_finished_is_tried_again_at_the_end(bench):
    bench.put("a.jpg", JPEG)
    bench.put("b.jpg", ANOTHER)
    fail(bench.s3, "GetObject", 1, EndpointConnectionError(endpoint_url="http://down"))

    done = bench.run("a.jpg", "b.jpg")

    assert [one.outcome for one in done] == [Outcome.COMPRESSED] * 2 and bench.sleeps == [PAUSES[0]]
    assert "to be tried again" in bench.log


def test_what_fails_again_and_again_is_failed_and_can_be_tried_alone_later(bench):
    bench.put("a.jpg", JPEG)
    bench.put("b.jpg", ANOTHER)
    fail(bench.s3, "GetObject", len(PAUSES) + 1, EndpointConnectionError(endpoint_url="http://down"))
    first = bench.run("a.jpg")
    assert [one.outcome for one in first] == [Outcome.FAILED]

    again = bench.run("a.jpg", failed=True)

    assert [one.outcome for one in again] == [Outcome.COMPRESSED]
    assert bench.get("b.jpg") == ANOTHER


def test_what_failed_is_tried_again_only_after_a_run_that_was_stopped_has_come_to_its_end(bench):
    bench.put("a.jpg", JPEG)
    bench.put("b.jpg", JPEG)

    def stop_at_the_second(step, facts):
        if facts["key"] == "b.jpg":
            raise KeyboardInterrupt

    bench.watch = stop_at_the_second
    with pytest.raises(KeyboardInterrupt):
        bench.run("a.jpg", "b.jpg")
    bench.watch = None

    with pytest.raises(CommandError, match="without --retry_failed") as refused:
        bench.run("a.jpg", "b.jpg", failed=True)

    assert refused.value.exit_code == 1
    assert [one.outcome for one in bench.run("a.jpg", "b.jpg")] == [Outcome.COMPRESSED] * 2


def test_trying_again_without_a_run_before_says_so(bench):
    with pytest.raises(CommandError, match="nothing to try again"):
        bench.run(failed=True)


def test_credentials_that_are_no_longer_good_stop_the_run_at_once(bench):
    for key in ("a.jpg", "b.jpg"):
        bench.put(key, JPEG)
    fail(bench.s3, "HeadObject", 1, ClientError({"Error": {"Code": "ExpiredToken"}}, "HeadObject"))

    with pytest.raises(CommandError) as stopped:
        bench.run("a.jpg", "b.jpg")

    assert stopped.value.exit_code == 254 and bench.get("b.jpg") == JPEG


@pytest.mark.parametrize("error", OVER)
def test_a_login_that_ends_stops_the_run_and_the_same_command_goes_on_later(bench, error):
    for key in ("a.jpg", "b.jpg"):
        bench.put(key, JPEG)
    fail(bench.s3, "GetObject", 1, error)

    with pytest.raises(CommandError) as stopped:
        bench.run("a.jpg", "b.jpg")

    assert stopped.value.exit_code == 254 and bench.sleeps == []
    assert bench.get("a.jpg") == bench.get("b.jpg") == JPEG
    assert [one.outcome for one in bench.run("a.jpg", "b.jpg")] == [Outcome.COMPRESSED] * 2


def test_a_profile_that_a_worker_does_not_have_stops_the_run_and_fails_no_image(tmp_path):
    place = Place(region="us-east-1", endpoint_url=None, profile="not-here", home=str(tmp_path))
    order = Order(place=place, bucket="meu-bucket", temp_dir=str(tmp_path), options=Options())

    done = pickle.loads(pickle.dumps(compress(order, Row(2, "a.jpg"))))

    assert done.outcome is Outcome.RETRY and done.stop.exit_code == 2 and "not-here" in done.stop.text


def test_what_lies_in_an_archive_is_left_there_and_not_asked_for_again_and_again(bench):
    bench.put("a.jpg", JPEG)
    fail(bench.s3, "GetObject", 1, ClientError({"Error": {"Code": "InvalidObjectState"}}, "GetObject"))

    done = bench.only("a.jpg")

    assert done.outcome is Outcome.UNCHANGED and "archive" in done.reason and bench.sleeps == []


def test_a_bug_is_told_with_its_trace_and_stops_nothing(bench):
    bench.put("a.jpg", JPEG)
    bench.put("b.jpg", ANOTHER)

    def trip(step, facts):
        if facts["key"] == "a.jpg" and step == "fetch":
            raise ZeroDivisionError("tripped")

    bench.watch = trip
    bad, good = bench.run("a.jpg", "b.jpg")

    assert (bad.outcome, good.outcome) == (Outcome.FAILED, Outcome.COMPRESSED)
    assert " - ERROR - Traceback" in bench.log and "ZeroDivisionError: tripped" in bench.log


def test_a_temporary_folder_that_is_no_good_stops_the_run_at_once(bench):
    bench.put("a.jpg", JPEG)
    (bench.folder / "temp").rmdir()

    with pytest.raises(CommandError, match="temp_dir"):
        bench.run("a.jpg")

    assert bench.get("a.jpg") == JPEG


def test_a_run_that_was_stopped_goes_on_where_it_was(bench):
    keys = [f"{number}.jpg" for number in range(6)]
    for key in keys:
        bench.put(key, JPEG)
    looked = []

    def stop_at_the_fourth(step, facts):
        looked.append(facts["key"]) if step == "look" else None
        if len(looked) == 4:
            raise KeyboardInterrupt

    bench.watch = stop_at_the_fourth
    with pytest.raises(KeyboardInterrupt):
        bench.run(*keys)
    bench.watch = lambda step, facts: looked.append(facts["key"]) if step == "look" else None

    done = bench.run(*keys)

    assert len(done) == 6 and all(one.outcome is Outcome.COMPRESSED for one in done)
    assert looked == [*keys[:4], *keys[3:]]


def test_another_run_with_the_same_journal_is_refused(bench):
    journal = Journal(bench.folder / "run.journal")
    journal.begin()

    with pytest.raises(CommandError, match="another run with this command"):
        Journal(bench.folder / "run.journal")

    journal.close()
