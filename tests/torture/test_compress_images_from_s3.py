"""Compressing a bucket in its place while everything goes wrong: no original is ever lost or made worse."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.options import Options
from bulk.compress.outcome import Done, Outcome
from bulk.compress.run import Run
from bulk.compress.transform import Compressor
from bulk.compress.work import Bench, Order, Place
from bulk.csv_rows import Row, open_rows
from pipeline.errors import RejectError, SkipError
from tests.images import jpeg, noise, photo, png, truncated
from tests.torture.compress_victim import STEPS
from tests.torture.fault_proxy import fault_proxy, mixed
from tests.torture.results import Results

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud, pytest.mark.timeout(3600)]

MARK = "image-pipeline-compressed"
_DETAILED = [Image.blend(photo((side, 120)), noise((side, 120)), 0.2) for side in range(100, 130)]
#: What lies in the bucket: mostly good images, and some that have to stay as they are.
CONTENTS = [
    *(jpeg(image, quality=95) for image in _DETAILED),
    png(photo((80, 60))),
    png(photo((60, 80)), private=True),
    jpeg(_DETAILED[0], quality=30),
    truncated(jpeg(_DETAILED[1])),
    b"no picture",
    b"",
]
REWRITTEN = [jpeg(image.rotate(180), quality=96) for image in _DETAILED]


class Originals:
    """A bucket that keeps versions, with `count` objects and the list of them."""

    def __init__(self, cloud: Any, folder: Path, count: int) -> None:
        self.cloud, self.folder, self.name = cloud, folder, f"tortured-{uuid4().hex[:8]}"
        self.s3 = cloud.client("s3")
        self.s3.create_bucket(Bucket=self.name)
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.contents = {f"{number:03}.jpg": CONTENTS[number % len(CONTENTS)] for number in range(count)}
        for key, data in self.contents.items():
            self.put(key, data)
        folder.mkdir(exist_ok=True)
        (folder / "dataset.csv").write_text("\n".join(["path", *self.contents]) + "\n")

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=data, ContentType="image/own", Metadata={"who": "ada"})

    def state(self) -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
        """Bytes and metadata of every object."""
        return {key: self._one(key) for key in self.contents}

    def _one(self, key: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        found = self.s3.get_object(Bucket=self.name, Key=key)
        return hashlib.sha256(found["Body"].read()).hexdigest(), tuple(sorted(found["Metadata"].items()))

    def history(self, key: str) -> list[tuple[bytes, bool]]:
        """Every version of an object, the oldest first: its bytes, and whether it was put by the program."""
        answer = self.s3.list_object_versions(Bucket=self.name, Prefix=key)["Versions"]
        found = [self.s3.get_object(Bucket=self.name, Key=key, VersionId=one["VersionId"]) for one in reversed(answer)]
        return [(one["Body"].read(), MARK in one["Metadata"]) for one in found]

    def victim(self, *step: str) -> subprocess.Popen[bytes]:
        program = Path(__file__).with_name("compress_victim.py")
        command = [sys.executable, str(program), self.name, str(self.folder), self.cloud.endpoint_url, *step]
        return subprocess.Popen(command, env=self.cloud.environ, stdout=subprocess.DEVNULL)

    def run_to_the_end(self) -> None:
        assert self.victim().wait(1200) == 0


def expected(data: bytes) -> bytes:
    """What the object holds once it is done: its compression, or itself."""
    options = Options()
    try:
        wanted = options.job("bucket", "key").image_options
        made = Compressor(options).transform(data, wanted, decoding=lambda pixels: nullcontext())
    except (SkipError, RejectError):
        return data
    return made.outputs[0].data


def assert_right(originals: Originals) -> None:
    """Every object is what a run without any trouble makes of it, and was replaced once at most."""
    for key, data in originals.contents.items():
        after = expected(data)
        history = originals.history(key)
        assert [one for one, _ in history] == ([data] if after == data else [data, after]), key


@pytest.fixture
def originals(local_cloud, tmp_path):
    return lambda count: Originals(local_cloud, tmp_path, count)


def test_a_run_that_is_killed_at_every_step_again_and_again_ends_as_one_that_is_not(
    originals, full_torture, results: Results
):
    made = originals(300 if full_torture else 36)
    rng, kills = random.Random(1), Counter[str]()
    for _ in range(20 if full_torture else 1):
        for step in STEPS:
            killed = made.victim(step, str(rng.randint(1, 2))).wait(300)
            kills[step] += killed == -signal.SIGKILL

    made.run_to_the_end()

    assert_right(made)
    assert all(kills[step] for step in STEPS), kills
    results.say(objects=len(made.contents), kills=dict(kills), lost=0, wrong=0)


def test_a_run_that_is_killed_at_any_moment_ends_as_one_that_is_not(originals, full_torture, results: Results):
    made = originals(300 if full_torture else 36)
    rng, kills, lives = random.Random(2), 0, 200 if full_torture else 5
    for _ in range(lives):
        victim = made.victim()
        before = _size(made.folder / "run.journal-wal")
        _wait_for_work(victim, made.folder, before)
        time.sleep(rng.uniform(0, 0.06))
        kills += victim.poll() is None
        victim.kill()
        victim.wait()

    made.run_to_the_end()

    assert_right(made)
    results.say(objects=len(made.contents), lives=lives, kills=kills, lost=0, wrong=0)


def _wait_for_work(victim: subprocess.Popen[bytes], folder: Path, before: int) -> None:
    """Until it has written of an image, or has ended."""
    deadline = time.monotonic() + 120
    while victim.poll() is None and _size(folder / "run.journal-wal") == before:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def parallel_run(originals: Originals, endpoint: str, threads: int, pause: float = 0.05) -> dict[str, Done]:
    """The program's run with `threads` at once in this process, through `endpoint`."""
    place = Place(region="us-east-1", endpoint_url=endpoint, profile=None, home="")
    order = Order(place=place, bucket=originals.name, temp_dir=str(originals.folder), options=Options())

    class Free:
        def take(self, pixels: int) -> Any:
            return nullcontext()

    bench = Bench(order, place.s3(), Free())

    def compress(rows: Iterable[Row]) -> Iterator[Done]:
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(bench.work, rows)

    folder = originals.folder
    with closing(Log(folder)) as log, closing(Journal(folder / "run.journal")) as journal:
        with open_rows(str(folder / "dataset.csv"), originals.name) as rows:
            Run(journal, log, compress, sleep=lambda seconds: time.sleep(pause)).all(rows)
        return {done.key: done for done in journal.images()}


def test_three_of_ten_calls_that_fail_lose_nothing_and_are_taken_for_no_conflict(
    originals, full_torture, results: Results
):
    made = originals(300 if full_torture else 36)
    counts: Counter[str] = Counter()
    with fault_proxy(made.cloud.port, mixed(0.3, 3, counts)) as endpoint:
        done = parallel_run(made, endpoint, threads=12)

    assert_right(made)
    outcomes = Counter((one.outcome, one.code) for one in done.values())
    assert not outcomes[Outcome.FAILED, ""] and not outcomes[Outcome.UNCHANGED, "CONFLICT"], outcomes
    results.say(
        objects=len(made.contents),
        faults=dict(counts),
        outcomes={f"{outcome} {code}".strip(): count for (outcome, code), count in outcomes.items()},
        lost=0,
        false_conflicts=0,
    )


def test_who_overwrites_originals_while_they_are_compressed_never_loses_a_version(
    originals, full_torture, results: Results
):
    made = originals(300 if full_torture else 36)
    rng, writes = random.Random(4), 600 if full_torture else 60
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(parallel_run, made, made.cloud.endpoint_url, 4)
        written: dict[str, list[bytes]] = {}
        for _ in range(writes):
            key, data = rng.choice(list(made.contents)), rng.choice(REWRITTEN)
            made.put(key, data)
            written.setdefault(key, []).append(data)
        done = run.result(1200)

    for key, first in made.contents.items():
        history = made.history(key)
        theirs = [data for data, ours in history if not ours]
        assert theirs == [first, *written.get(key, [])], key
        for (before, _), (after, ours) in zip(history, history[1:], strict=False):
            # What the program put stands right behind what it was made of: nothing came between.
            assert not ours or after == expected(before), key
    conflicts = sum(one.code == "CONFLICT" for one in done.values())
    results.say(objects=len(made.contents), overwritten=writes, conflicts_met=conflicts, lost=0)


def test_no_damaged_image_is_replaced_and_a_second_run_writes_nothing(originals, results: Results):
    made = originals(36)
    made.run_to_the_end()
    before = {key: len(made.history(key)) for key in made.contents}

    made.run_to_the_end()

    assert {key: len(made.history(key)) for key in made.contents} == before
    results.say(objects=len(made.contents), writes_of_the_second_run=0)
