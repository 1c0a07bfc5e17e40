"""What the drainer does with objects that can be drained."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import UTC, datetime

import pytest

from bulk.drain.paths import key_of
from tests.draining import unchanged
from tests.odd_keys import ODD_KEYS

pytestmark = pytest.mark.local_cloud

MIB = 1024 * 1024


def test_objects_become_files_and_leave_the_bucket(drained):
    drained.put("a/b.jpg", b"one")
    drained.put("c.jpg", b"two")

    ended = drained.run()

    assert ended.code == 0, ended.err
    assert drained.files() == {"a/b.jpg": b"one", "c.jpg": b"two"}
    assert drained.keys() == []
    assert ended.report["removed"] == 2


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("scans/", ["scans/1.tif", "scans/2024/2.tif", "scans/3.jpg"]),
        ("scans/2", ["scans/2024/2.tif"]),
        ("scans/*.tif", ["scans/1.tif", "scans/2024/2.tif"]),
        ("scans/?.tif", ["scans/1.tif"]),
        ("*/3.*", ["scans/3.jpg"]),
        ("scans/1.ti", ["scans/1.tif"]),
        ("[s]cans/*", []),
    ],
)
def test_a_path_is_a_prefix_or_with_wildcards_a_pattern(drained, path, found):
    everything = ["other.tif", "scans/1.tif", "scans/2024/2.tif", "scans/3.jpg"]
    for key in everything:
        drained.put(key, key.encode())

    ended = drained.run("--path-to-search", path)

    assert ended.code == 0, ended.err
    assert sorted(drained.files()) == sorted(found)
    assert drained.keys() == sorted(set(everything) - set(found))


def test_odd_keys_lie_inside_and_tell_their_keys_again(drained):
    keys = {
        *ODD_KEYS,
        "a",
        "a/b",
        "a/b/c",
        "A",
        "con.txt",
        "folder/",
        ".drain/journal.jsonl",
        "r\r",
        "x\x01y",
        "/",
        "//",
    }
    for key in keys:
        drained.put(key, key.encode())

    ended = drained.run()

    assert ended.code == 0, ended.err
    assert drained.keys() == []
    assert {key_of(path.split("/")): data.decode() for path, data in drained.files().items()} == {k: k for k in keys}
    assert sorted(os.listdir(drained.folder)) == ["home", "root"]


def test_empty_objects_and_folder_markers_are_drained_like_all(drained):
    drained.put("empty.jpg", b"")
    drained.put("folder/", b"")

    ended = drained.run()

    assert ended.code == 0, ended.err
    assert drained.files() == {"empty.jpg": b"", "folder/%empty": b""}
    assert drained.keys() == []


def test_the_log_has_a_line_for_each_object_with_all_that_a_file_cannot_hold(drained):
    etag = drained.put("a/b.jpg", b"data", ContentType="image/jpeg", Metadata={"by": "me"}, ChecksumAlgorithm="SHA256")

    drained.run()

    [line] = drained.log()
    digest = base64.b64encode(hashlib.sha256(b"data").digest()).decode()
    assert line.pop("at")
    assert line == {
        "bucket": drained.bucket,
        "key": "a/b.jpg",
        "path": "a/b.jpg",
        "bytes": 4,
        "checksum": f"sha256:{digest}",
        "verified": "length, SHA256",
        "etag": etag,
        "version": None,
        "content_type": "image/jpeg",
        "metadata": {"by": "me"},
        "outcome": "drained",
    }


def test_a_file_has_the_time_of_its_object(drained):
    drained.put("a", b"data")
    modified = drained.s3.head_object(Bucket=drained.bucket, Key="a")["LastModified"]

    drained.run()

    assert datetime.fromtimestamp((drained.root / "a").stat().st_mtime, UTC).replace(microsecond=0) == modified


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"])
def test_the_checksum_that_s3_keeps_is_the_one_that_is_compared(drained, algorithm):
    drained.put("a", b"data" * 1000, ChecksumAlgorithm=algorithm)

    ended = drained.run()

    assert ended.code == 0, ended.err
    assert drained.log()[0]["verified"] == f"length, {algorithm}"


def test_an_object_without_a_checksum_is_compared_with_its_etag(drained):
    drained.s3 = drained.cloud.client("s3", config=no_checksums())
    drained.put("a", b"data")

    ended = drained.run()

    assert ended.code == 0, ended.err
    assert drained.log()[0]["verified"] == "length, MD5 = ETag"


def no_checksums():
    from botocore.config import Config

    return Config(request_checksum_calculation="when_required")


def test_an_object_of_many_parts_is_compared_part_by_part(drained):
    parts = [b"a" * 5 * MIB, b"b" * 6 * MIB, b"c" * 1000]
    drained.put_in_parts("large", parts, ChecksumAlgorithm="SHA256")

    ended = drained.run()

    assert ended.code == 0, ended.err
    assert drained.files() == {"large": b"".join(parts)}
    assert drained.log()[0]["verified"] == "length, SHA256 of 3 parts"


def test_what_nothing_can_verify_stays_unless_two_downloads_agree(drained):
    drained.s3 = drained.cloud.client("s3", config=no_checksums())
    drained.put_in_parts("large", [b"a" * 5 * MIB, b"b"])

    kept = drained.run()
    left = drained.keys(), drained.files()
    twice = drained.run("--verify", "twice")

    assert (kept.code, kept.outcomes) == (1, {"nothing to verify it by": 1})
    assert "--verify twice" in kept.err
    assert left == (["large"], {})
    assert (twice.code, drained.keys()) == (0, [])
    assert drained.log()[0]["verified"] == "length, two downloads"


def test_an_etag_of_an_object_under_kms_is_not_taken_for_an_md5(drained):
    drained.s3 = drained.cloud.client("s3", config=no_checksums())
    key = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
    drained.put("secret", b"data", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)

    ended = drained.run()

    assert ended.outcomes == {"nothing to verify it by": 1}
    assert drained.keys() == ["secret"]


def test_archived_objects_and_those_under_a_customers_key_are_reported_and_stay(drained):
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    drained.put("frozen", b"data", StorageClass="GLACIER")
    drained.put("locked", b"data", **key)
    drained.put("plain", b"data")

    ended = drained.run()

    assert ended.code == 1
    assert ended.outcomes == {"archived": 1, "encrypted with a key of the customer": 1, "drained": 1}
    assert "frozen: archived: restore it first" in ended.err and "locked: cannot be read" in ended.err
    assert drained.keys() == ["frozen", "locked"]


class TestProcessed:
    def test_a_processed_object_is_removed_and_not_fetched(self, drained):
        drained.put("in/a.jpg", b"data")
        (drained.processed / "in").mkdir(parents=True)
        (drained.processed / "in" / "a.jpg").write_bytes(b"data")

        with unchanged(drained.processed):
            ended = drained.run("--processed-path", str(drained.processed))

        assert ended.outcomes == {"already processed": 1}
        assert (drained.keys(), drained.files()) == ([], {})

    def test_the_folders_that_lead_to_it_are_made_durable(self, drained):
        drained.put("in/2024/a.jpg", b"data")
        (drained.processed / "in" / "2024").mkdir(parents=True)
        (drained.processed / "in" / "2024" / "a.jpg").write_bytes(b"data")
        synced = set()

        drained.run(
            "--processed-path", str(drained.processed),
            sync=lambda descriptor: synced.add(os.readlink(f"/proc/self/fd/{descriptor}")),
        )  # fmt: skip

        leading = ("", "in", "in/2024", "in/2024/a.jpg")
        assert {str(drained.processed / path) for path in leading} <= synced

    def test_it_is_also_found_by_its_bare_name(self, drained):
        drained.put("in/2024/a.jpg", b"data")
        drained.processed.mkdir()
        (drained.processed / "a.jpg").write_bytes(b"data")

        ended = drained.run("--processed-path", str(drained.processed))

        assert ended.outcomes == {"already processed": 1}
        assert drained.log()[0]["path"] == str(drained.processed / "a.jpg")

    @pytest.mark.parametrize("other", [b"DATA", b"more data"])
    def test_another_content_under_that_name_keeps_the_object(self, drained, other):
        drained.put("a.jpg", b"data")
        drained.processed.mkdir()
        (drained.processed / "a.jpg").write_bytes(other)

        ended = drained.run("--processed-path", str(drained.processed))

        assert (ended.code, ended.outcomes) == (1, {"differs from the processed file": 1})
        assert (drained.keys(), drained.files()) == (["a.jpg"], {})

    def test_size_is_enough_only_when_that_is_asked_for(self, drained):
        drained.s3 = drained.cloud.client("s3", config=no_checksums())
        drained.put_in_parts("large", [b"a" * 5 * MIB, b"b"])
        drained.processed.mkdir()
        (drained.processed / "large").write_bytes(b"x" * (5 * MIB + 1))

        kept = drained.run("--processed-path", str(drained.processed))
        removed = drained.run("--processed-path", str(drained.processed), "--processed-match", "size")

        assert kept.outcomes == {"nothing to verify it by": 1}
        assert removed.outcomes == {"already processed": 1}
        assert drained.log()[0]["verified"] == "name and size"


class TestWhatIsThereAlready:
    def test_an_equal_file_is_not_fetched_again(self, drained):
        drained.put("a", b"data")
        drained.root.mkdir()
        (drained.root / "a").write_bytes(b"data")

        with unchanged(drained.root / "a"):
            ended = drained.run()

        assert ended.outcomes == {"already here": 1}
        assert (drained.keys(), drained.files()) == ([], {"a": b"data"})

    def test_of_two_contents_both_are_kept(self, drained):
        drained.root.mkdir()
        (drained.root / "a").write_bytes(b"mine")
        drained.put("a", b"data")

        first = drained.run()
        drained.put("a", b"data")
        second = drained.run()

        assert (first.outcomes, second.outcomes) == ({"drained": 1}, {"already here": 1})
        files = drained.files()
        assert files.pop("a") == b"mine"
        [(name, data)] = files.items()
        assert (key_of([name]), data) == ("a", b"data")

    def test_a_link_is_never_followed(self, drained):
        outside = drained.folder / "outside"
        outside.mkdir()
        (outside / "canary").write_bytes(b"alive")
        drained.root.mkdir()
        (drained.root / "dir").symlink_to(outside)
        (drained.root / "leaf").symlink_to(outside / "canary")
        (drained.root / "dangling").symlink_to(outside / "new")
        for key in ("dir/canary", "leaf", "dangling", "well"):
            drained.put(key, b"data")

        with unchanged(outside):
            ended = drained.run()

        assert (ended.code, ended.outcomes) == (1, {"failed": 3, "drained": 1})
        assert sorted(drained.keys()) == ["dangling", "dir/canary", "leaf"]
        assert os.listdir(outside) == ["canary"]

    def test_a_link_or_a_second_name_where_bytes_arrive_is_not_written_through(self, drained):
        from bulk.drain.paths import partial_name

        outside = drained.folder / "outside"
        outside.mkdir()
        (outside / "canary").write_bytes(b"alive")
        drained.root.mkdir()
        (drained.root / partial_name("a", drained.put("a", b"data"))).symlink_to(outside / "canary")
        os.link(outside / "canary", drained.root / partial_name("b", drained.put("b", b"DATA")))

        with unchanged(outside):
            ended = drained.run()

        assert ended.outcomes == {"failed": 2}
        assert drained.keys() == ["a", "b"]

    def test_a_pipe_in_the_way_is_reported_and_not_waited_for(self, drained):
        drained.put("pipe", b"data")
        drained.root.mkdir()
        os.mkfifo(drained.root / "pipe")

        ended = drained.run()

        assert ended.outcomes == {"failed": 1}
        assert drained.keys() == ["pipe"]
