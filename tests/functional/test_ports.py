"""Whatever we start listens on the loopback interface or not at all. `tests/conftest.py` asks after every test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import can_be_read, descendants, listeners, listening, open_to_the_network

ROOT = Path(__file__).resolve().parents[2]
#: A run of compression that has started its workers and given them nothing to do yet.
COMPRESSING = """
import sys
from bulk.compress.cluster import workers
if __name__ == "__main__":
    with workers(None, count=2):
        print("ready", flush=True)
        sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(not can_be_read(), reason="reads /proc")


def test_the_workers_of_compression_are_reached_from_this_machine_only(tmp_path):
    (tmp_path / "compressing.py").write_text(COMPRESSING)
    command, environ = [sys.executable, "-W", "ignore", "compressing.py"], {**os.environ, "PYTHONPATH": str(ROOT)}

    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        found = listening(*descendants(process.pid))
        process.stdin.close()

    assert found
    assert {host for host, _ in found} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("family", "host", "is_open"),
    [
        (socket.AF_INET, "127.0.0.1", False),
        (socket.AF_INET, "127.9.9.9", False),
        (socket.AF_INET6, "::1", False),
        (socket.AF_INET, "0.0.0.0", True),
        (socket.AF_INET6, "::", True),
    ],
)
def test_what_is_open_to_the_network_is_told(family, host, is_open):
    before = {found.inode for found in listeners()}
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()

        found = open_to_the_network(before, [])
        own = listening(os.getpid())

        assert (host, listener.getsockname()[1]) in own
        assert [str(listener.getsockname()[1]) in line for line in found] == [True] * is_open
        assert open_to_the_network({one.inode for one in listeners()}, []) == []
