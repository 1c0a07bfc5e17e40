"""Which objects and which of their versions are drained."""

from __future__ import annotations

import os

import pytest

from bulk.drain.paths import key_of

pytestmark = pytest.mark.local_cloud


class TestVersions:
    def test_a_versioned_object_is_hidden_by_a_marker_and_its_version_is_logged(self, drained):
        drained.keep_versions()
        drained.put("a", b"data")

        ended = drained.run()

        [version, marker] = drained.versions()
        assert ended.outcomes == {"drained": 1}
        assert drained.keys() == []
        assert drained.log()[0]["version"] == version["VersionId"]
        assert drained.log()[0]["marker"] == marker["VersionId"]

    def test_purging_drains_every_version_from_the_oldest_on(self, drained):
        drained.keep_versions()
        for key in ("a", "b"):
            for data in (b"one", b"two", b"three"):
                drained.put(key, data + key.encode())
        drained.s3.delete_object(Bucket=drained.bucket, Key="b")
        steps = []

        ended = drained.run("--purge-versions", watch=lambda step, key: steps.append((step, key)))

        assert ended.code == 0, ended.err
        assert ended.outcomes == {"drained": 6, "delete marker": 1}
        assert drained.versions() == []
        assert drained.files()["a"] == b"threea"
        assert {data for path, data in drained.files().items() if key_of([path]) == "a"} == {
            b"onea",
            b"twoa",
            b"threea",
        }
        assert {data for path, data in drained.files().items() if key_of([path]) == "b"} == {
            b"oneb",
            b"twob",
            b"threeb",
        }
        assert [line["bytes"] for line in drained.log() if line["key"] == "a"] == [4, 4, 6]
        first_removed = steps.index(("removed", "a"))
        assert steps[:first_removed].count(("begun", "a")) == 1

    def test_a_version_that_cannot_be_drained_keeps_the_newer_ones(self, drained):
        drained.keep_versions()
        drained.put("a", b"one", StorageClass="GLACIER")
        drained.put("a", b"two")

        ended = drained.run("--purge-versions")

        assert (ended.code, ended.outcomes) == (1, {"archived": 1, "left for another run": 1})
        assert len(drained.versions()) == 2

    def test_purging_a_bucket_without_versions_is_draining_it(self, drained):
        drained.put("a", b"data")

        ended = drained.run("--purge-versions")

        assert ended.outcomes == {"drained": 1}
        assert drained.keys() == []

    def test_the_version_called_null_is_purged_only_as_it_was_verified(self, drained):
        drained.put("a", b"before versions")
        drained.keep_versions()
        drained.put("a", b"after")
        drained.keep_versions("Suspended")

        def overwrite(step, key):
            if step == "journalled" and len(drained.versions()) == 2:
                drained.put("a", b"null again")

        ended = drained.run("--purge-versions", watch=overwrite)

        contents = set(drained.files().values()) | {drained.get(key) for key in drained.keys()}
        assert {b"before versions", b"after", b"null again"} <= contents, ended.err


class TestChoice:
    def test_no_more_are_removed_than_allowed(self, drained):
        for number in range(20):
            drained.put(f"{number:02}", b"data")

        ended = drained.run("--max-delete", "7")

        assert ended.report["removed"] == 7
        assert ended.code == 0
        assert len(drained.keys()) == 13
        assert len(drained.files()) == 7

    def test_young_objects_stay(self, drained):
        drained.put("a", b"data")

        ended = drained.run("--older-than", "1h")

        assert (ended.code, ended.report["removed"]) == (0, 0)
        assert drained.keys() == ["a"]

    def test_a_copy_waits_in_quarantine(self, drained):
        drained.put("a/b", b"data", Metadata={"by": "me"})
        drained.put("quarantine/old", b"earlier")

        ended = drained.run("--quarantine-prefix", "quarantine")
        copy = drained.s3.get_object(Bucket=drained.bucket, Key="quarantine/a/b")

        assert ended.outcomes == {"drained": 1}
        assert drained.keys() == ["quarantine/a/b", "quarantine/old"]
        assert (copy["Body"].read(), copy["Metadata"]) == (b"data", {"by": "me"})
        assert "No lifecycle rule lets quarantine/ expire" in ended.err

    def test_a_second_object_of_that_key_does_not_replace_the_copy_of_the_first(self, drained):
        for data in (b"one", b"two"):
            drained.put("a", data)
            drained.run("--quarantine-prefix", "quarantine/")

        assert {drained.get(key) for key in drained.keys()} == {b"one", b"two"}

    def test_a_copy_that_no_checksum_tells_from_another_is_not_taken_for_it(self, drained):
        parts = [[os.urandom(5 * 1024 * 1024), os.urandom(10)] for _ in range(2)]
        for one in parts:
            drained.put_in_parts("a", one)
            drained.run("--quarantine-prefix", "quarantine/", "--verify", "twice")

        assert {drained.get(key) for key in drained.keys()} == {b"".join(one) for one in parts}

    def test_versions_that_are_purged_wait_in_quarantine_each(self, drained):
        drained.keep_versions()
        drained.put("a", b"one")
        drained.put("a", b"two")
        drained.s3.delete_object(Bucket=drained.bucket, Key="a")

        ended = drained.run("--purge-versions", "--quarantine-prefix", "quarantine/")

        assert ended.code == 0, ended.err
        assert {drained.get(key) for key in drained.keys()} == {b"one", b"two"}
        assert all(key.startswith("quarantine/") for key in drained.keys())

    def test_a_rule_that_lets_copies_expire_is_seen(self, drained):
        rule = {"ID": "q", "Status": "Enabled", "Filter": {"Prefix": "quarantine/"}, "Expiration": {"Days": 30}}
        drained.s3.put_bucket_lifecycle_configuration(Bucket=drained.bucket, LifecycleConfiguration={"Rules": [rule]})
        drained.put("a", b"data")

        ended = drained.run("--quarantine-prefix", "quarantine/")

        assert "No lifecycle rule" not in ended.err

    def test_a_rate_is_kept(self, drained):
        for number in range(4):
            drained.put(str(number), b"x" * 50_000)

        ended = drained.run("--rate-limit", "100k")

        assert ended.report["seconds"] > 1.4
        assert drained.keys() == []
