from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.snapshots import SnapshotError, Snapshots, newest, take
from pipeline.settings import ROOT

KILLED_HALF_WAY = """
import os, pathlib, sys
from local_cloud.snapshots import take

def save(folder):
    (folder / "sqs.json").write_text("after")
    os._exit(9)

take(pathlib.Path(sys.argv[1]), save)
"""


def writing(**files: str):
    """A `save` that writes these files."""

    def save(folder: Path) -> None:
        for name, text in files.items():
            (folder / f"{name}.json").write_text(text)

    return save


def content(snapshot: Path | None) -> dict[str, str]:
    assert snapshot is not None
    return {path.stem: path.read_text() for path in snapshot.iterdir()}


def test_there_is_no_snapshot_at_first(tmp_path):
    assert newest(tmp_path / "state") is None


def test_the_newest_snapshot_is_the_only_one_kept(tmp_path):
    for number in range(12):
        take(tmp_path, writing(sqs=str(number)))

    assert content(newest(tmp_path)) == {"sqs": "11"}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_kill_in_the_middle_of_a_snapshot_leaves_the_one_before(tmp_path):
    take(tmp_path, writing(sqs="before", dynamodb="before"))

    child = subprocess.run([sys.executable, "-c", KILLED_HALF_WAY, str(tmp_path)], cwd=ROOT)

    assert child.returncode == 9
    assert content(newest(tmp_path)) == {"sqs": "before", "dynamodb": "before"}


def test_after_a_kill_the_next_snapshot_starts_from_nothing(tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "sns.json").write_text("half")

    take(tmp_path, writing(sqs="whole"))

    assert content(newest(tmp_path)) == {"sqs": "whole"}


def test_a_service_that_has_nothing_to_save_keeps_what_it_saved_before(tmp_path):
    take(tmp_path, writing(sqs="1", sns="1"))

    take(tmp_path, writing(sqs="2"))

    assert content(newest(tmp_path)) == {"sqs": "2", "sns": "1"}


def test_a_snapshot_that_fails_leaves_the_one_before(tmp_path):
    take(tmp_path, writing(sqs="before"))

    def failing(folder: Path) -> None:
        (folder / "sqs.json").write_text("after")
        raise SnapshotError("dynamodb was changing all the time")

    with pytest.raises(SnapshotError):
        take(tmp_path, failing)

    assert content(newest(tmp_path)) == {"sqs": "before"}


def test_a_full_disk_is_a_failed_snapshot(tmp_path):
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(SnapshotError, match="No space left on device"):
        take(tmp_path, full)


class Running:
    """Snapshots with a clock that we turn; `pauses` is what they slept."""

    def __init__(
        self, folder: Path, *, seconds: float = 0.0, failures: int = 0, error: type[Exception] = SnapshotError
    ) -> None:
        self.time = 0.0
        self.pauses: list[float] = []
        self.saves = 0
        self._seconds, self._failures, self._error = seconds, failures, error
        self.snapshots = Snapshots(folder, self._save, clock=lambda: self.time, sleep=self._sleep)

    def _save(self, folder: Path) -> None:
        self.saves += 1
        self.time += self._seconds
        if self.saves <= self._failures:
            raise self._error("not this time")

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def after(self, *changes: int) -> Running:
        """Let it run until it rests, once for each number of changes."""
        asyncio.run(self._run(changes))
        return self

    async def _run(self, changes: tuple[int, ...]) -> None:
        task = asyncio.create_task(self.snapshots.run())
        for count in changes:
            for _ in range(count):
                self.snapshots.changed()
            for _ in range(20):  # turns of the loop; nothing here takes time
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_without_a_change_nothing_is_saved(tmp_path):
    assert Running(tmp_path).after(0).saves == 0


def test_many_changes_are_saved_once_after_two_seconds(tmp_path):
    running = Running(tmp_path).after(100)

    assert (running.saves, running.pauses) == (1, [2.0])


def test_a_slow_snapshot_puts_the_next_one_off_by_ten_times_its_own_time(tmp_path):
    running = Running(tmp_path, seconds=1.5).after(1, 1)

    assert running.pauses == [2.0, 15.0]


@pytest.mark.parametrize("error", [SnapshotError, RuntimeError])
def test_a_failed_snapshot_is_taken_again_without_a_further_change(tmp_path, error):
    running = Running(tmp_path, failures=2, error=error).after(1)

    assert running.saves == 3
