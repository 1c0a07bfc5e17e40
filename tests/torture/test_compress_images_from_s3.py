"""Compressing a bucket in its place while everything goes wrong: no original is ever lost or made worse."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import signal
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
from bulk.csv_rows import Row, open_list, read_rows
from pipeline.errors import RejectError, SkipError
from tests.images import jpeg, noise, photo, png, truncated
from tests.torture.compress_victims import STEPS
from tests.torture.fault_proxy import fault_proxy, mixed
from tests.torture.forge import Forge, forge
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
        self.keep_versions()
        self.contents = {f"{number:03}.jpg": CONTENTS[number % len(CONTENTS)] for number in range(count)}
        for key, data in self.contents.items():
            self.put(key, data)
        folder.mkdir(exist_ok=True)
        (folder / "dataset.csv").write_text("\n".join(["path", *self.contents]) + "\n")

    def keep_versions(self) -> None:
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

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

    def victim(self, victims: Forge, step: str | None = None, occurrence: int = 1) -> int:
        """The process id of a run that kills itself at that step, if one is named."""
        told = {"bucket": self.name, "folder": str(self.folder), "endpoint": self.cloud.endpoint_url}
        return victims.start({**told, "step": step, "occurrence": occurrence})

    def run_to_the_end(self, victims: Forge) -> None:
        self.victim(victims)
        assert victims.end() == 0


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
    numbers = itertools.count()
    return lambda count: Originals(local_cloud, tmp_path / str(next(numbers)), count)


@pytest.fixture
def victims(local_cloud, tmp_path):
    with forge("tests.torture.compress_victims", tmp_path / "errors", local_cloud.environ) as victims:
        yield victims
    assert (tmp_path / "errors").read_text() == ""


def test_a_run_that_is_killed_at_every_step_again_and_again_ends_as_one_that_is_not(
    originals, victims, full_torture, results: Results
):
    made = originals(300 if full_torture else 36)
    rng, kills = random.Random(1), Counter[str]()
    for _ in range(20 if full_torture else 1):
        for step in STEPS:
            made.victim(victims, step, rng.randint(1, 2))
            kills[step] += victims.end() == -signal.SIGKILL

    made.run_to_the_end(victims)

    assert_right(made)
    assert all(kills[step] for step in STEPS), kills
    results.say(objects=len(made.contents), kills=dict(kills), lost=0, wrong=0)


def test_a_run_that_is_killed_at_any_moment_ends_as_one_that_is_not(originals, victims, full_torture, results: Results):
    wanted, rng = 1000 if full_torture else 5, random.Random(2)
    kills = lives = buckets = 0
    while kills < wanted:
        # A bucket is done after many lives; then another one takes its place.
        made, code = originals(300 if full_torture else 36), -signal.SIGKILL
        while code and kills < wanted:
            code = _live(made, victims, rng.uniform(0, 0.06))
            kills, lives = kills + (code != 0), lives + 1
        made.run_to_the_end(victims)
        assert_right(made)
        buckets += 1

    results.say(buckets=buckets, objects_each=len(made.contents), lives=lives, kills=kills, lost=0, wrong=0)


def _live(made: Originals, victims: Forge, seconds: float) -> int:
    """A run that is killed so many seconds after it has written of an image; its exit code."""
    journal = made.folder / "run.journal-wal"
    pid, before, deadline = made.victim(victims), _size(journal), time.monotonic() + 120
    while _is_alive(pid) and _size(journal) == before:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    code = victims.end()
    assert code in (0, -signal.SIGKILL)
    return code


def _is_alive(pid: int) -> bool:
    """False for one that has ended and that nobody has waited for yet."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


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
        with open_list(str(folder / "dataset.csv")) as file:
            rows = read_rows(file, originals.name)
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


def test_no_damaged_image_is_replaced_and_a_second_run_writes_nothing(originals, victims, results: Results):
    made = originals(36)
    made.run_to_the_end(victims)
    before = {key: len(made.history(key)) for key in made.contents}

    made.run_to_the_end(victims)

    assert {key: len(made.history(key)) for key in made.contents} == before
    results.say(objects=len(made.contents), writes_of_the_second_run=0)
