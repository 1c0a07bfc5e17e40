"""What the drainer concludes where S3 refuses: whether that is about one object or about all, and what it keeps."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bulk.drain.allowance import Allowance
from bulk.drain.bucket import Bucket
from bulk.drain.crew import Crew
from bulk.drain.deletions import Deletion, Refusal
from bulk.drain.download import RESUMED_FROM
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import KeepError, Outcome
from bulk.drain.paths import partial_name
from bulk.drain.removal import refuses_everything, remove
from cli.exits import CommandError, Exit
from pipeline.aws_errors import retried
from pipeline.errors import RetryError
from tests.functional.drain_in_memory import NOW, MeddledTree, MemoryBucket, drainer
from tests.functional.logins import OVER

LARGE = Candidate("large", RESUMED_FROM, "etag", NOW)


class Refusing(Bucket):
    """S3 refuses all that it is asked; to a HEAD its answer has no body, and so does not say why."""

    def __init__(self, code, status):
        self.name, self._code, self._status = "bucket", code, status
        self._s3: Any = self
        self._reader: Any = self

    def head_object(self, **_):
        raise self._refusal(str(self._status), "HeadObject")

    def get_object(self, key, **_):
        raise self._refusal(self._code, "GetObject")

    def delete_object(self, **_):
        raise self._refusal(self._code, "DeleteObject")

    def _refusal(self, code, operation):
        answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": self._status}}
        return ClientError(answer, operation)


class Denying(MemoryBucket):
    """The credentials may read all of it, and not remove what is `denied`."""

    def __init__(self, objects, denied):
        super().__init__(objects)
        self.denied = set(denied)

    def delete(self, deletions):
        ends = super().delete([one for one in deletions if one.key not in self.denied])
        return ends | {one: Refusal("AccessDenied", "") for one in deletions if one.key in self.denied}


class TestCredentials:
    @pytest.mark.parametrize(("code", "status"), [("ExpiredToken", 400), ("InvalidAccessKeyId", 403)])
    @pytest.mark.parametrize("look", [lambda s3: s3.require(LARGE), lambda s3: s3.has_marker("a", "v1")])
    def test_those_that_are_over_are_no_key_of_the_customer(self, look, code, status):
        with pytest.raises(RetryError) as raised:
            look(Refusing(code, status))

        assert refuses_everything(raised.value)

    @pytest.mark.parametrize(
        ("code", "status", "outcome"),
        [("InvalidRequest", 400, Outcome.ENCRYPTED), ("AccessDenied", 403, Outcome.FAILED)],
    )
    def test_what_is_about_one_object_keeps_that_one(self, code, status, outcome):
        with pytest.raises(KeepError) as raised:
            Refusing(code, status).require(LARGE)

        assert raised.value.outcome is outcome

    def test_what_has_arrived_of_a_large_object_outlives_them(self, tmp_path):
        root = tmp_path / "root"
        root.mkdir()
        part = root / partial_name(LARGE.key, LARGE.etag)
        part.write_bytes(b"begun")

        with pytest.raises(RetryError):
            drainer(Refusing("ExpiredToken", 400), MeddledTree(root, lambda: None), tmp_path).stage(LARGE)

        assert part.read_bytes() == b"begun"

    def test_they_end_the_removal_of_an_object_that_goes_alone_without_a_second_try(self):
        def sleep(seconds):
            pytest.fail("it was tried again")

        with pytest.raises(RetryError):
            remove(Refusing("ExpiredToken", 400), [Deletion("in no XML \x01", "etag")], sleep)

    @pytest.mark.parametrize("error", OVER)
    def test_those_that_cannot_be_had_refuse_everything(self, error):
        with pytest.raises(RetryError) as raised, retried("GetObject"):
            raise error

        assert refuses_everything(raised.value)


@pytest.mark.parametrize("code", ["NoSuchBucket", "404"])
@pytest.mark.parametrize("look", [lambda s3: s3.get(LARGE), lambda s3: s3.has_marker("a", "v1")])
def test_a_404_that_is_about_no_object_is_not_taken_for_one_that_is_gone(look, code):
    with pytest.raises(RetryError, match=code):
        look(Refusing(code, 404))


@pytest.mark.parametrize(("code", "key"), [("NoSuchKey", "a"), ("NoSuchVersion", "a"), ("404", "in no XML \x01")])
def test_what_s3_says_that_it_does_not_have_is_gone(code, key):
    s3 = Refusing(code, 404)

    with pytest.raises(KeepError) as raised:
        s3.get(replace(LARGE, key=key))

    assert raised.value.outcome is Outcome.GONE
    assert not s3.has_marker(key, "v1")


class TestDenials:
    @pytest.fixture
    def drain(self, tmp_path):
        def drain(bucket):
            """How it ended for the objects, and the error that ended the run."""
            outcomes: Counter[Outcome] = Counter()
            root = tmp_path / "root"
            root.mkdir()
            ours = drainer(bucket, MeddledTree(root, lambda: None), tmp_path)
            crew = Crew(ours, 1, Allowance(None), threading.Event(), lambda result: outcomes.update([result.outcome]))
            try:
                crew.drain([one] for one in bucket.candidates())
            except CommandError as error:
                return outcomes, error
            return outcomes, None

        return drain

    def test_one_object_that_may_not_be_removed_keeps_no_other(self, drain):
        bucket = Denying({str(number): b"data" for number in range(10)}, ["0"])

        outcomes, error = drain(bucket)

        assert (outcomes, error) == ({Outcome.FAILED: 1, Outcome.DRAINED: 9}, None)
        assert list(bucket.objects) == ["0"]

    def test_where_none_may_be_removed_the_run_ends_as_refused_and_all_are_counted(self, drain):
        outcomes, error = drain(Denying(dict.fromkeys("abc", b"data"), "abc"))

        assert outcomes == {Outcome.FAILED: 3}
        assert error.exit_code is Exit.REFUSED and "may not remove it" in error.text

    def test_after_many_no_further_object_is_fetched(self, drain):
        keys = [str(number) for number in range(400)]

        outcomes, error = drain(Denying(dict.fromkeys(keys, b"data"), keys))

        assert error.exit_code is Exit.REFUSED
        assert 20 <= outcomes[Outcome.FAILED] < 300
