"""What the drainer does when disk, network or other writers do what they can: every object is in S3 or on disk."""

from __future__ import annotations

import os
import sys
import threading

import pytest
from botocore.config import Config

from bulk.drain.bucket import Bucket, Facts
from bulk.drain.checksums import Expected
from bulk.drain.download import RESUMED_FROM, Downloader
from bulk.drain.listing import Candidate
from bulk.drain.order import STEPS
from bulk.drain.outcomes import AgainError
from bulk.drain.paths import key_of, partial_name
from bulk.drain.rate import Rate
from bulk.drain.stream import CHUNK, PATIENCE, Line
from tests.torture.fault_proxy import Call, fault_proxy

pytestmark = pytest.mark.local_cloud


class TestOtherWriters:
    @pytest.mark.parametrize("step", [step for step in STEPS if step != "logged"])
    def test_what_is_overwritten_at_any_step_is_drained_as_well(self, drained, step):
        drained.put("a", b"old")
        once = threading.Event()

        def overwrite(at, key):
            if at == step and not once.is_set():
                once.set()
                drained.put("a", b"new and longer")

        ended = drained.run(watch=overwrite)

        contents = set(drained.files().values()) | {drained.get(key) for key in drained.keys()}
        assert b"new and longer" in contents, ended.err
        assert ended.code == 0, ended.err
        assert all(key_of([path]) == "a" for path in drained.files())

    @pytest.mark.parametrize("step", ["checked", "renamed", "journalled"])
    def test_a_new_version_is_not_hidden_before_it_is_drained(self, drained, step):
        drained.keep_versions()
        drained.put("a", b"old")
        once = threading.Event()

        def overwrite(at, key):
            if at == step and not once.is_set():
                once.set()
                drained.put("a", b"new")

        ended = drained.run(watch=overwrite)

        assert ended.code == 0, ended.err
        assert sorted(drained.files().values()) == [b"new", b"old"]
        assert [version["IsLatest"] for version in drained.versions() if "Size" not in version] == [True]

    def test_what_is_overwritten_before_its_copy_is_made_is_not_taken_for_the_copy(self, drained):
        drained.put("a", b"old")
        once = threading.Event()

        def overwrite(step, key):
            if step == "synced" and not once.is_set():
                once.set()
                drained.put("a", b"new")

        ended = drained.run("--quarantine-prefix", "quarantine/", watch=overwrite)

        assert ended.code == 0, ended.err
        assert {key: drained.get(key) for key in drained.keys()} == {"quarantine/a": b"new"}
        assert b"new" in drained.files().values()

    def test_what_is_overwritten_again_and_again_stays(self, drained):
        drained.put("a", b"0")
        count = iter(range(1, 100))

        def overwrite(step, key):
            if step == "journalled":
                drained.put("a", str(next(count)).encode())

        ended = drained.run(watch=overwrite)

        assert (ended.code, ended.outcomes) == (1, {"overwritten again and again": 1})
        assert drained.keys() == ["a"]
        assert set(drained.files().values()) == {b"0", b"1", b"2"}

    @pytest.mark.parametrize("step", ["begun", "synced", "journalled"])
    def test_what_somebody_else_removes_is_no_failure(self, drained, step):
        drained.put("a", b"data")

        def remove(at, key):
            if at == step:
                drained.s3.delete_object(Bucket=drained.bucket, Key="a")

        ended = drained.run(watch=remove)

        assert ended.code == 0, ended.err

    def test_a_file_that_appears_under_the_name_is_kept_beside_the_object(self, drained):
        drained.put("a", b"data")

        def appear(step, key):
            if step == "synced":
                (drained.root / "a").write_bytes(b"mine")

        ended = drained.run(watch=appear)

        assert ended.code == 0, ended.err
        assert sorted(drained.files().values()) == [b"data", b"mine"]
        assert drained.files()["a"] == b"mine"

    def test_a_folder_that_appears_under_the_name_is_left(self, drained):
        drained.put("a", b"data")

        def appear(step, key):
            if step == "synced":
                (drained.root / "a").mkdir()

        ended = drained.run(watch=appear)

        assert ended.code == 0, ended.err
        assert drained.files() == {"a%file": b"data"}

    @pytest.mark.parametrize("step", ["synced", "renamed"])
    def test_a_folder_that_somebody_takes_away_is_made_again(self, drained, step):
        data = {f"{folder}/{number}": os.urandom(100) for folder in ("busy", "calm") for number in range(5)}
        for key, content in data.items():
            drained.put(key, content)
        once = threading.Event()

        def take(at, key):
            if at == step and key.startswith("busy") and not once.is_set():
                once.set()
                (drained.root / "busy").rename(drained.folder / "taken")

        ended = drained.run(watch=take)

        taken = {f"busy/{path.name}": path.read_bytes() for path in (drained.folder / "taken").glob("[0-9]")}
        assert ended.code == 0, ended.err
        assert drained.files() | taken == data
        assert drained.keys() == []

    def test_objects_that_come_while_it_lists_and_removes_are_not_lost(self, drained):
        data = drained.fill(count=30)
        later = {f"{number:03}-later": os.urandom(100) for number in range(30)}
        waiting, lock = iter(later.items()), threading.Lock()

        def add(step, key):
            if step == "begun" and "later" not in key:
                with lock:
                    drained.put(*next(waiting))

        ended = drained.run(watch=add)

        assert ended.code == 0, ended.err
        drained.assert_nothing_is_lost(data | later)


def on(operation, fault, *, times=10**6):
    """A fault that the first `times` calls of an operation meet."""
    lock, left = threading.Lock(), [times]

    def decide(call):
        with lock:
            if call.operation != operation or not call.key or left[0] <= 0:
                return None
            left[0] -= 1
            return fault

    return decide


@pytest.mark.parametrize("is_here", [False, True])
def test_a_checksum_that_cannot_be_taken_here_keeps_the_object(drained, monkeypatch, is_here):
    if is_here:
        drained.root.mkdir()
        (drained.root / "a").write_bytes(b"data")
    drained.put("a", b"data", ChecksumAlgorithm="CRC64NVME")
    monkeypatch.setitem(sys.modules, "awscrt.checksums", None)

    ended = drained.run()

    assert ended.outcomes == {"nothing to verify it by": 1}
    assert "pip install -r bulk/requirements.txt" in ended.err
    assert drained.keys() == ["a"]


class TestNetwork:
    @pytest.mark.parametrize("fault", ["corrupted", "truncated", "reset before", "500", "503 SlowDown", "delayed"])
    def test_a_body_that_comes_badly_once_is_fetched_again(self, drained, fault):
        data = drained.fill(count=3)

        with fault_proxy(drained.cloud.port, on("GetObject", fault, times=2)) as address:
            ended = drained.run(endpoint_url=address)

        assert ended.code == 0, ended.err
        assert drained.keys() == []
        assert drained.files() == data

    @pytest.mark.parametrize("fault", ["corrupted", "truncated"])
    def test_what_always_comes_damaged_is_never_removed(self, drained, fault):
        data = drained.fill(count=3)

        with fault_proxy(drained.cloud.port, on("GetObject", fault)) as address:
            ended = drained.run(endpoint_url=address)

        assert (ended.code, ended.report["removed"]) == (1, 0)
        assert drained.keys() == sorted(data)
        assert not [path for path in drained.files() if not path.endswith("%.part")]

    def test_two_downloads_that_differ_are_not_believed(self, drained):
        data = b"a" * 5 * CHUNK + b"b"
        drained.s3 = drained.cloud.client("s3", config=Config(request_checksum_calculation="when_required"))
        drained.put_in_parts("large", [data[:-1], data[-1:]])

        with fault_proxy(drained.cloud.port, on("GetObject", "corrupted", times=1)) as address:
            ended = drained.run("--verify", "twice", endpoint_url=address)

        assert ended.code == 0, ended.err
        assert (drained.keys(), drained.files()) == ([], {"large": data})

    @pytest.mark.parametrize("fault", ["answer lost", "reset before", "500", "503 SlowDown"])
    def test_a_removal_whose_answer_is_lost_is_looked_at_and_not_guessed(self, drained, fault):
        data = drained.fill(count=5)

        with fault_proxy(drained.cloud.port, on("DeleteObjects", fault, times=3)) as address:
            ended = drained.run(endpoint_url=address)

        assert ended.code == 0, ended.err
        assert ended.outcomes == {"drained": 5}
        assert drained.keys() == []
        assert drained.files() == data

    def test_a_lost_answer_followed_by_a_new_object_does_not_take_the_new_one(self, drained):
        drained.put("a", b"old")
        once = threading.Event()

        def decide(call):
            return "answer lost" if call.operation == "DeleteObjects" and call.key and not once.is_set() else None

        def answered(call):
            if call.operation == "DeleteObjects" and call.key and not once.is_set():
                once.set()
                drained.put("a", b"new")

        with fault_proxy(drained.cloud.port, decide, answered) as address:
            ended = drained.run(endpoint_url=address)

        assert ended.code == 0, ended.err
        assert sorted(drained.files().values()) == [b"new", b"old"]

    def test_a_large_object_goes_on_where_it_broke(self, drained):
        data = os.urandom(RESUMED_FROM + 3 * CHUNK)
        drained.put("large", data)
        reads = []

        def decide(call):
            if call.operation == "GetObject":
                reads.append(call)
                return "truncated" if len(reads) == 1 else None
            return None

        with fault_proxy(drained.cloud.port, decide) as address:
            ended = drained.run(endpoint_url=address)

        assert ended.code == 0, ended.err
        assert drained.files() == {"large": data}
        assert len(reads) == 2

    def test_a_large_object_goes_on_in_another_run_and_its_beginning_is_checked_again(self, drained):
        data = os.urandom(RESUMED_FROM + 3 * CHUNK)
        etag = drained.put("large", data)
        drained.root.mkdir()
        part = drained.root / partial_name("large", etag)
        asked: list[Call] = []

        for begun in (data[: 5 * CHUNK], b"damaged" + data[7 : 5 * CHUNK], data, data + b"too much"):
            part.write_bytes(begun)
            with fault_proxy(drained.cloud.port, lambda call: None, answered=asked.append) as address:
                ended = drained.run(endpoint_url=address)
            assert ended.code == 0, ended.err
            assert drained.files() == {"large": data}
            drained.put("large", data)
            (drained.root / "large").unlink()

        assert [call.operation for call in asked].count("GetObject") < 5

    def test_a_body_that_drips_for_ever_is_given_up(self, tmp_path):
        now = [0.0]

        class Drip:
            """A body that gives a byte every ten seconds."""

            def read1(self, count):
                now[0] += 10
                return b"x"

            def close(self): ...

        from datetime import UTC, datetime

        size = 10**6
        facts = Facts("e", None, size, datetime.now(UTC), Expected("CRC32", "x"), "", {})

        class DrippingBucket(Bucket):
            def __init__(self): ...

            def get(self, candidate, **how):
                return facts, Drip()

        line = Line(
            bucket=DrippingBucket(), rate=Rate(None, clock=lambda: now[0], sleep=None),
            clock=lambda: now[0], sleep=None, is_stopped=lambda: False,
        )  # fmt: skip
        downloader = Downloader(line=line, twice=False)
        part = os.open(tmp_path / "part", os.O_RDWR | os.O_CREAT)

        with pytest.raises(AgainError, match="slower than 20 kB/s"):
            downloader.into(part, Candidate("a", size, "e", facts.modified), "a")

        os.close(part)
        assert now[0] < PATIENCE + size / 20_000 + 20
