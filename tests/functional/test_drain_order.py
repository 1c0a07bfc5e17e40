"""The kernel's own record of a drain: what is durable, and in which order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.local_cloud_fixture import ROOT

pytestmark = pytest.mark.local_cloud

CALLS = "openat,pread64,fadvise64,fsync,fdatasync,rename,renameat,renameat2,linkat,unlinkat,write,sendto,sendmsg"


def trace(drained, tmp_path, *arguments):
    """The lines of strace about a drain, without the numbers of its threads."""
    if not shutil.which("strace"):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("strace is not installed")
    record = tmp_path / "strace"
    ended = subprocess.run(
        ["strace", "-f", "-y", "-s", "80", "-e", f"trace={CALLS}", "-o", str(record), sys.executable,
         "bulk/drain_bucket.py", "--local", "--yes", *drained.arguments(*arguments)],
        cwd=ROOT, env=os.environ | drained.environ, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    if "Operation not permitted" in ended.stderr and not record.read_text().count("fsync"):
        pytest.skip("this system lets no process be traced")
    assert ended.returncode == 0, ended.stderr
    return [line.partition(" ")[2].strip() for line in record.read_text().splitlines()]


def first(lines, pattern, after=0):
    for number, line in enumerate(lines[after:], after):
        if re.search(pattern, line):
            return number
    raise AssertionError(f"no {pattern} after line {after}:\n" + "\n".join(lines[after:][:80]))


def test_fsync_then_rename_then_fsync_of_folder_and_journal_and_only_then_delete(drained, tmp_path):
    drained.put("folder/a.jpg", b"data")
    root = re.escape(str(drained.root))

    lines = trace(drained, tmp_path)

    synced = first(lines, rf"^fsync\(\d+<{root}/folder/\w+%\.part>")
    renamed = first(lines, r'^renameat2\(.*%\.part".*"a\.jpg", RENAME_NOREPLACE', synced)
    folder = first(lines, rf"^fsync\(\d+<{root}/folder>", renamed)
    above = first(lines, rf"^fsync\(\d+<{root}>", folder)
    written = first(lines, rf"^write\(\d+<{root}/\.drain/journal\.jsonl>", above)
    journal = first(lines, rf"^fsync\(\d+<{root}/\.drain/journal\.jsonl>", written)
    removed = first(lines, r"^send\w+\(.*POST /[\w-]+\?delete", journal)
    first(lines, rf"^write\(\d+<{root}/\.drain/log\.jsonl>", removed)

    assert first(lines, r"^send\w+\(.*(POST /[\w-]+\?delete|DELETE )") == removed
    assert not [
        line for line in lines[:removed] if line.startswith("fsync") and " = 0" not in line and "unfinished" not in line
    ]


def test_a_file_that_was_there_is_synced_and_read_from_the_disk_before_its_object_is_removed(drained, tmp_path):
    drained.put("a", b"data")
    drained.root.mkdir()
    (drained.root / "a").write_bytes(b"data")
    root = re.escape(str(drained.root))

    lines = trace(drained, tmp_path)

    synced = first(lines, rf"^fsync\(\d+<{root}/a>")
    uncached = first(lines, rf"^fadvise64\(\d+<{root}/a>, 0, 0, POSIX_FADV_DONTNEED", synced)
    read = first(lines, rf"^pread64\(\d+<{root}/a>")
    folder = first(lines, rf"^fsync\(\d+<{root}>", read)
    first(lines, r"^send\w+\(.*POST /[\w-]+\?delete", folder)
    assert read > uncached
