"""A disk that is full, read-only or fails, and file systems that take two names for one: nothing is lost."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from bulk.drain.download import RESUMED_FROM
from bulk.drain.names import Names
from bulk.drain.own_folder import sync_to_disk
from bulk.drain.paths import key_of
from bulk.drain.tree import Tree
from tests.local_cloud_fixture import ROOT

pytestmark = pytest.mark.local_cloud


@contextmanager
def small_disk(folder: Path, size: str):
    """A disk of its own at `folder`, as long as the block runs."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, options: str):
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


class TestDisk:
    def test_a_full_disk_stops_it_and_with_room_it_goes_on(self, drained):
        data = drained.fill(count=30, size=100_000)

        with small_disk(drained.root, "1m"):
            ended = drained.run()
            drained.assert_nothing_is_lost(data)
            remount(drained.root, "size=10m")
            again = drained.run()
            assert drained.files() == data

        assert ended.code == 1
        assert "No space left on device" in ended.err and "make room" in ended.err
        assert again.code == 0, again.err
        assert drained.keys() == []

    def test_a_disk_that_is_read_only_is_refused(self, drained):
        data = drained.fill(count=3)

        with small_disk(drained.root, "1m"):
            remount(drained.root, "ro")
            ended = drained.run()

        assert ended.code == 1
        assert "Read-only file system" in ended.err and "Traceback" not in ended.err
        assert drained.keys() == sorted(data)

    def test_the_limit_on_the_size_of_files_stops_it(self, drained):
        data = drained.fill(count=3, size=200_000)

        ended = subprocess.run(
            [sys.executable, "bulk/drain_bucket.py", "--local", "--yes", *drained.arguments()],
            cwd=ROOT, env=os.environ | drained.environ, capture_output=True, text=True, timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        )  # fmt: skip

        assert ended.returncode == 1
        assert "File too large" in ended.stderr and "ulimit -f" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert drained.keys() == sorted(data)

    @pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS])
    @pytest.mark.parametrize("what", ["file", "folder", "journal"])
    def test_an_error_of_fsync_stops_it_before_anything_is_removed(self, drained, what, number):
        data = drained.fill(count=3)

        def sync(descriptor):
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            kind = "journal" if path.endswith("journal.jsonl") else "folder" if os.path.isdir(path) else "file"
            if kind == what and drained.root.exists() and (drained.root / ".drain" / "log.jsonl").exists():
                if kind != "folder" or any((drained.root / key).exists() for key in data):
                    raise OSError(number, os.strerror(number))
            sync_to_disk(descriptor)

        ended = drained.run(sync=sync)

        assert ended.code == 1
        assert os.strerror(number) in ended.err and "Nothing more was removed" in ended.err
        assert "Traceback" not in ended.err
        assert drained.keys() == sorted(data)
        drained.assert_nothing_is_lost(data)

    def test_what_could_not_be_made_durable_is_not_gone_on_from(self, drained):
        drained.put("large", os.urandom(RESUMED_FROM))

        def sync(descriptor):
            if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".part"):
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        drained.run(sync=sync)

        assert drained.files() == {}
        assert drained.keys() == ["large"]

    @pytest.mark.parametrize("where", ["root", "processed"])
    def test_a_file_that_was_there_is_compared_as_the_disk_has_it_and_not_the_cache(self, drained, where):
        drained.put("a", b"data")
        for folder in (drained.root, drained.processed):
            folder.mkdir()
        there = getattr(drained, where) / "a"
        there.write_bytes(b"data")

        def sync(descriptor):
            if os.readlink(f"/proc/self/fd/{descriptor}") == str(there):
                there.write_bytes(b"lost")

        ended = drained.run("--processed-path", str(drained.processed), sync=sync)

        kept = {"drained": 1} if where == "root" else {"differs from the processed file": 1}
        assert ended.outcomes == kept
        assert drained.keys() == ["a"] * (where == "processed")


class TestNamesThatAFileSystemTakesForOne:
    """No such file system is at hand, so its way of finding names is played."""

    @staticmethod
    def find(folder, name):
        import unicodedata

        def folded(text):
            return unicodedata.normalize("NFC", text).casefold()

        return next((other for other in os.listdir(folder) if folded(other) == folded(name)), None)

    def test_each_key_has_a_file_of_its_own(self, tmp_path):
        tree = Tree(tmp_path, sync_to_disk, names=Names(self.find)) if (tmp_path / ".drain").mkdir() is None else None
        paths = {}
        for key in ("a.jpg", "A.jpg", "é/x", "e\u0301/x", "dir/x", "DIR/x", "DIR/X"):
            from bulk.drain.paths import parts_of

            spot = tree.settle(parts_of(key))
            (tmp_path / str(spot)).write_text(key)
            paths[key] = str(spot)
        tree.close()

        assert {key: (tmp_path / path).read_text() for key, path in paths.items()} == {key: key for key in paths}
        assert {key: key_of(path.split("/")) for key, path in paths.items()} == {key: key for key in paths}
        folded = {path.casefold() for path in paths.values()}
        assert len(folded) == len(paths)
