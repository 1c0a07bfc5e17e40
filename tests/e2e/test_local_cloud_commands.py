from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local import HOST
from local_cloud.commands import Context, stop
from local_cloud.folder import Folder
from local_cloud.lock import Running, announce, hold, holder
from tests.local_cloud_fixture import ROOT, LocalCloud, free_port, running_local_cloud
from tests.ports import can_be_read, listening
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """Not started."""
    cloud = LocalCloud(free_port(), tmp_path)
    yield cloud
    cloud.stop()


def status(cloud: LocalCloud) -> dict[str, object]:
    facts: dict[str, object] = json.loads(cloud.command("status", "--json").stdout)
    return facts


def test_it_starts_from_any_folder_and_is_ready_when_the_command_returns(cloud, tmp_path):
    started = cloud.command("start", cwd=tmp_path)

    assert started.returncode == 0
    assert cloud.endpoint_url in started.stderr
    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_a_second_start_changes_nothing(cloud):
    cloud.start()
    first = status(cloud)

    cloud.start()

    assert status(cloud) == first


def test_two_starts_at_once_leave_one_server(cloud):
    command = [sys.executable, str(ROOT / "local_cloud"), "start"]
    starts = [subprocess.Popen(command, env=cloud.environ, stderr=subprocess.DEVNULL) for _ in range(4)]

    assert [start.wait(timeout=60) for start in starts] == [0, 0, 0, 0]
    assert status(cloud)["ready"]


def test_start_waits_until_the_server_that_it_began_gives_up_where_another_was_quicker(cloud, local_cloud):
    """One that still tries would come up after the next `stop`."""
    folder = Folder(cloud.home)
    folder.make()
    command = [sys.executable, str(ROOT / "local_cloud"), "start", "--port", str(local_cloud.port)]
    with hold(folder.lock) as lock:
        start = subprocess.Popen(command, env=cloud.environ, stderr=subprocess.DEVNULL)
        eventually(folder.start_log.exists, timeout=30)

        announce(lock, Running(pid=os.getpid(), port=local_cloud.port, auth=False, started_at=0.0))

        assert start.wait(timeout=60) == 0
        assert "held by another server" in folder.start_log.read_text()


def test_status_tells_where_it_runs(cloud):
    cloud.start()

    facts = status(cloud)

    assert facts["running"] is True
    assert facts["endpoint_url"] == cloud.endpoint_url
    assert facts["data"] == str(cloud.home / ".local_cloud")
    assert cloud.command("status").returncode == 0


def test_status_exits_with_1_when_it_does_not_run(cloud):
    answer = cloud.command("status")

    assert answer.returncode == 1
    assert "not running" in answer.stdout


def test_a_status_that_nobody_reads_ends_without_a_word(cloud):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as pipe:
        command = [sys.executable, str(ROOT / "local_cloud"), "status"]
        environ = {**cloud.environ, "PYTHONUNBUFFERED": ""}  # or the pipe is written to at once
        ended = subprocess.run(command, env=environ, stdout=pipe, stderr=subprocess.PIPE)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_stop_is_harmless_when_it_does_not_run(cloud):
    answer = cloud.command("stop")

    assert answer.returncode == 0
    assert "not running" in answer.stderr


def test_stop_is_harmless_when_the_server_ends_by_itself_just_before(tmp_path, capsys):
    folder = Folder(tmp_path)
    folder.make()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with hold(folder.lock) as lock:
        announce(lock, Running(pid=ended.pid, port=1, auth=False, started_at=0.0))

        stop(Context({}, folder, 1, auth=False), sleep=lambda seconds: lock.close())

    assert "has stopped" in capsys.readouterr().err


def test_when_stop_returns_the_port_is_free(cloud):
    cloud.start()

    cloud.stop()

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, cloud.port))


def test_a_local_cloud_of_another_folder_on_the_same_port_is_not_taken_for_ours(cloud, local_cloud):
    answer = cloud.command("start", "--port", str(local_cloud.port))

    assert answer.returncode == 1
    assert f"Port {local_cloud.port}" in answer.stderr


def test_a_taken_port_is_named_with_the_cure(cloud):
    with socket.socket() as other:
        other.bind((HOST, cloud.port))
        other.listen()

        answer = cloud.command("start")

    assert answer.returncode == 1
    assert f"Port {cloud.port}" in answer.stderr
    assert f"LOCAL_CLOUD_PORT={cloud.port + 1}" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_another_port_for_a_folder_that_is_served_already_is_refused(cloud):
    cloud.start()

    answer = cloud.command("start", "--port", str(free_port()))

    assert answer.returncode == 1
    assert f"already running on port {cloud.port}" in answer.stderr


def test_after_kill_9_neither_status_nor_stop_trusts_the_old_process_number(cloud):
    """The number may belong to another program by now; here it is given to one of ours, which must live on."""
    cloud.start()
    lock = cloud.home / ".local_cloud" / "server.lock"
    old = holder(lock)
    assert old is not None
    os.kill(old.pid, signal.SIGKILL)
    eventually(lambda: holder(lock) is None, timeout=10)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    lock.write_text(lock.read_text().replace(f'"pid": {old.pid}', f'"pid": {stranger.pid}'))

    assert status(cloud)["running"] is False
    cloud.stop()
    assert stranger.poll() is None
    cloud.start()
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize("setting", ["eighty", "0", "70000"])
def test_a_port_that_cannot_be_is_refused_before_anything_is_done(cloud, setting):
    environ = {**cloud.environ, "LOCAL_CLOUD_PORT": setting}

    answer = subprocess.run(
        [sys.executable, "-m", "local_cloud", "start"], cwd=ROOT, env=environ, capture_output=True, text=True
    )

    assert answer.returncode == 2
    assert setting in answer.stderr
    assert not (cloud.home / ".local_cloud").exists()


@pytest.mark.parametrize("command", [["start"], ["status"], ["stop"]])
def test_a_home_that_is_no_folder_is_told_with_the_cure(cloud, tmp_path, command):
    (tmp_path / "file").write_text("no folder")
    environ = {**cloud.environ, "IMAGE_PIPELINE_HOME": str(tmp_path / "file" / "home")}

    done = subprocess.run(
        [sys.executable, "-m", "local_cloud", *command], cwd=ROOT, env=environ, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "IMAGE_PIPELINE_HOME" in done.stderr and "Traceback" not in done.stderr


def test_the_log_can_be_read_and_followed(cloud):
    assert cloud.command("logs").returncode == 1
    cloud.start()
    assert "starting on" in cloud.command("logs", "-n", "1000").stdout

    command = [sys.executable, str(ROOT / "local_cloud"), "logs", "--follow"]
    with subprocess.Popen(command, env=cloud.environ, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        first = following.stdout.readline()
        cloud.stop()
        assert any("shutting down" in line for line in following.stdout)
        following.send_signal(signal.SIGINT)
        assert first and following.wait(timeout=10) == 130


def test_in_the_foreground_it_stays_until_it_is_interrupted_and_saves(cloud):
    command = [sys.executable, str(ROOT / "local_cloud"), "start", "--foreground"]
    with subprocess.Popen(command, env=cloud.environ, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: status(cloud).get("ready"), timeout=30)
        cloud.client("s3").create_bucket(Bucket="kept")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0

    cloud.start()
    assert [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]] == ["kept"]


def test_in_the_foreground_it_says_so_when_another_was_quicker(cloud):
    folder = Folder(cloud.home)
    folder.make()
    with hold(folder.lock):
        answer = cloud.command("start", "--foreground")

    assert answer.returncode == 1
    assert "held by another server" in answer.stderr


@pytest.mark.skipif(not can_be_read(), reason="reads /proc")
def test_nothing_but_the_one_port_on_the_loopback_interface_listens(local_cloud):
    local_cloud.client("sqs").create_queue(QueueName="so-that-a-service-is-loaded")

    assert listening(int(str(status(local_cloud)["pid"]))) == {(HOST, local_cloud.port)}


def test_the_folder_is_closed_to_other_people_of_the_machine(local_cloud):
    assert (local_cloud.home / ".local_cloud").stat().st_mode & 0o077 == 0


def test_authentication_can_be_switched_on(tmp_path):
    with running_local_cloud(tmp_path, "--auth") as cloud:
        cloud.client("s3").create_bucket(Bucket="private")
        cloud.client("s3").put_object(Bucket="private", Key="a", Body=b"a")

        assert get(cloud, "/private/a") == 403
        assert status(cloud)["auth"] is True
        assert cloud.command("start").returncode == 1


def get(cloud: LocalCloud, path: str) -> int:
    connection = http.client.HTTPConnection(HOST, cloud.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    connection.close()
    return answer.status
