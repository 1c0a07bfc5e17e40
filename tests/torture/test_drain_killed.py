"""Drainers die at every step and at any moment: every object is in S3, or whole on the disk, and none lands outside."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bulk.drain.order import STEPS
from bulk.drain.paths import key_of
from tests.draining import Drained, unchanged
from tests.torture.fault_proxy import fault_proxy, mixed
from tests.torture.forge import Forge, forge

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud, pytest.mark.timeout(3600)]

SEED = 10
AT_ONCE = 6
#: Names in which a path may go wrong, one of which every object has.
FOLDERS = ("", "a/", "a/b/", "../", "/", "x/../", "%/", "A/")


@dataclass
class Game:
    """Objects that are put, drainers that die, and what must hold after each of them."""

    drained: Drained
    victims: Forge
    mode: tuple[str, ...]
    rng: random.Random
    put: dict[str, list[str]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    deaths: Counter[str] = field(default_factory=Counter)
    read: dict[Any, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        return ["--local", "--yes", *self.drained.arguments("--workers", "4", *self.mode)]

    def fill(self) -> None:
        """New objects, if few wait, and now and then a new version of one that may be on its way."""
        for number in range(AT_ONCE if len(self.open) < 3 * AT_ONCE else 1):
            known = sorted(self.open)
            again = known and self.rng.random() < 0.2
            key = self.rng.choice(known) if again else f"{self.rng.choice(FOLDERS)}{len(self.put)}-{number}"
            data = self.rng.randbytes(self.rng.choice((0, 1, 3000, 70_000)))
            self.put.setdefault(key, []).append(self.drained.put(key, data))
            self.open.add(key)

    def _start(self, step: str | None = None, occurrence: int = 1) -> int:
        """The process id of a drainer that kills itself at that step, if one is named."""
        told = {"arguments": self.arguments, "environ": self.drained.environ}
        return self.victims.start({**told, "step": step, "occurrence": occurrence})

    def die(self, step: str) -> None:
        self._start(step, self.rng.randint(1, AT_ONCE))
        self.deaths[f"at {step}" if self._is_killed() else "not reached"] += 1

    def die_within(self, seconds: float) -> bool:
        """Whether it was killed before it was done."""
        pid = self._start()
        deadline = time.monotonic() + self.rng.uniform(0, seconds)
        while time.monotonic() < deadline:
            time.sleep(min(0.002, max(0.0, deadline - time.monotonic())))
        os.kill(pid, signal.SIGKILL)
        is_killed = self._is_killed()
        self.deaths["killed" if is_killed else "was done before"] += 1
        return is_killed

    def _is_killed(self) -> bool:
        code = self.victims.end()
        assert code in (0, -signal.SIGKILL), f"the drainer ended with {code}"
        return code != 0

    def finish(self) -> float:
        """A drainer that nobody kills; the seconds that it took."""
        started = time.monotonic()
        self._start()
        assert self.victims.end() == 0
        return time.monotonic() - started

    def check(self) -> None:
        """Every content that was put last, and in a bucket that is purged every content, is in S3 or whole on disk.

        An ETag of these buckets is the MD5 of the content.
        """
        in_s3, on_disk = self._in_s3(), self._on_disk()
        for key, contents in on_disk.items():
            assert contents <= set(self.put[key]), f"{key} on disk is nothing that was put"
        for key in sorted(self.open):
            needed = self.put[key] if self.mode else self.put[key][-1:]
            lost = set(needed) - in_s3.get(key, set()) - on_disk.get(key, set())
            assert not lost, f"{len(lost)} contents of {key!r} are lost"
            if key not in in_s3:
                self.open.discard(key)

    def _in_s3(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        name, call = ("Versions", "list_object_versions") if self.mode else ("Contents", "list_objects_v2")
        for page in self.drained.s3.get_paginator(call).paginate(Bucket=self.drained.bucket):
            for entry in page.get(name, []):
                found.setdefault(entry["Key"], set()).add(entry["ETag"].strip('"'))
        return found

    def _on_disk(self) -> dict[str, set[str]]:
        """The MD5s of the files by key; a file that has not changed since the last look is not read again."""
        found: dict[str, set[str]] = {}
        for path in self.drained.root.rglob("*"):
            if not path.is_file() or ".drain" in path.parts or path.name.endswith("%.part"):
                continue
            status = path.stat()
            seen = path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            if seen not in self.read:
                self.read[seen] = hashlib.md5(path.read_bytes()).hexdigest()
            found.setdefault(key_of(path.relative_to(self.drained.root).parts), set()).add(self.read[seen])
        return found

    def end(self) -> None:
        """The end of a run without deaths: S3 is empty and every content that had to be kept is on disk."""
        self.open |= set(self.put)
        self.read.clear()
        self.finish()
        self.check()
        assert self.drained.keys() == []
        assert not (self.mode and self.drained.versions())


@pytest.fixture
def game(local_cloud, tmp_path, request):
    @contextmanager
    def play(*mode):
        outside = tmp_path / "outside"
        outside.mkdir()
        drained = Drained(local_cloud, outside)
        if mode:
            drained.keep_versions()
        (outside / "canary").write_bytes(b"alive")
        with forge("tests.torture.drain_victims", tmp_path / "errors") as victims, unchanged(outside / "canary"):
            game = Game(drained, victims, mode, random.Random(SEED))
            yield game
            game.end()
        assert sorted(os.listdir(outside)) == ["canary", "home", "root"]
        assert "Traceback" not in (tmp_path / "errors").read_text()

    return play


@pytest.mark.parametrize("mode", [(), ("--purge-versions",)], ids=["drain", "purge"])
def test_a_drainer_that_dies_at_any_step_loses_nothing(game, mode, full_torture, results):
    each = (100 if not mode else 20) if full_torture else 2
    with game(*mode) as play:
        for step in STEPS:
            while play.deaths[f"at {step}"] < each:
                play.fill()
                play.die(step)
                play.check()
                assert play.deaths["not reached"] <= len(STEPS) * each, play.deaths

    results.say(seed=SEED, kills_at_each_step=each, objects=len(play.put), lost=0, deaths=dict(play.deaths))


@pytest.mark.parametrize("mode", [(), ("--purge-versions",)], ids=["drain", "purge"])
def test_a_drainer_that_is_killed_at_any_moment_loses_nothing(game, mode, full_torture, results):
    kills = (1000 if not mode else 200) if full_torture else 8
    with game(*mode) as play:
        play.fill()
        seconds = play.finish() * 1.2
        while play.deaths["killed"] < kills:
            play.fill()
            # A busy machine changes its pace: about every third drainer shall be done before its time.
            seconds *= 1.05 if play.die_within(seconds) else 0.9
            play.check()

    results.say(seed=SEED, kills=kills, objects=len(play.put), lost=0, deaths=dict(play.deaths))


def test_with_every_tenth_call_failing_nothing_is_lost(local_cloud, tmp_path, full_torture, results):
    count = 1000 if full_torture else 60
    drained = Drained(local_cloud, tmp_path)
    rng, counts = random.Random(SEED), Counter[str]()
    data = {f"{rng.choice(FOLDERS)}{number}": rng.randbytes(rng.choice((10, 3000, 70_000))) for number in range(count)}
    for key, content in data.items():
        drained.put(key, content)

    with fault_proxy(local_cloud.port, mixed(0.1, SEED, counts)) as address:
        runs = 0
        while drained.keys():
            runs += 1
            assert runs <= 10, "it never ends"
            drained.run(endpoint_url=address)
            found = {
                key_of(path.split("/")): content for path, content in drained.files().items() if "%.part" not in path
            }
            left = drained.keys()
            assert {key: content for key, content in data.items() if key not in left} == {
                key: found.get(key) for key in data if key not in left
            }

    results.say(seed=SEED, objects=count, lost=0, runs=runs, faults=dict(counts))
