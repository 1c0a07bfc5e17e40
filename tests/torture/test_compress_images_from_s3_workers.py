"""The program as its users start it, with Dask's workers, which die at random, and services that fail meanwhile."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.dask_workers import workers_of
from tests.meta.project import ROOT
from tests.torture.fault_proxy import fault_proxy, mixed
from tests.torture.results import Results
from tests.torture.test_compress_images_from_s3 import Originals, assert_right

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud, pytest.mark.timeout(3600)]

SEED = 5
#: Between the moment at which a run has written of an image and the next kill.
SECONDS = 0.3


class Program:
    """`bulk/compress_images_from_S3.py` over these originals, through `endpoint`."""

    def __init__(self, made: Originals, endpoint: str) -> None:
        self.folder = made.folder
        self._command = [sys.executable, str(ROOT / "bulk" / "compress_images_from_S3.py"), "--workers", "2"]
        self._command += ["--bucket_name", made.name, "--csv_path", str(made.folder / "dataset.csv")]
        self._command += ["--log_dir", str(made.folder), "--temp_dir", str(made.folder)]
        self._environ = {
            **made.cloud.environ,
            "AWS_ENDPOINT_URL": endpoint,
            "IMAGE_PIPELINE_HOME": str(made.folder),
        }

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._command, *options], env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def run(self, *options: str) -> int:
        return self.start(*options).wait(1200)

    def ended(self) -> int:
        """Of how many images all runs together have written."""
        return sum(path.read_text().count("Downloading") for path in self.folder.glob("log_*.log"))


def test_workers_and_programs_that_are_killed_among_failing_calls_leave_what_a_run_without_trouble_leaves(
    local_cloud, tmp_path: Path, full_torture, results: Results
):
    made = Originals(local_cloud, tmp_path / "run", 300 if full_torture else 36)
    rng, faults, deaths = random.Random(SEED), Counter[str](), Counter[str]()
    lives, workers_each = (10, 3) if full_torture else (1, 1)
    deciders = [mixed(0.1, SEED, faults)]
    with fault_proxy(made.cloud.port, lambda call: deciders[-1](call)) as endpoint:
        program = Program(made, endpoint)
        for _ in range(lives):
            deaths += _short_life(program, rng, workers_each)
            deciders.append(mixed(rng.uniform(0.1, 0.3), rng.randrange(1 << 30), faults))
        code = program.run()
        # Who was at work when two workers died beside it may count as failed: what a person would do about it.
        code = code and program.run("--retry_failed")

    assert code == 0
    assert_right(made)
    assert deaths["worker"] and deaths["program"], deaths
    results.say(
        seed=SEED, objects=len(made.contents), lives=lives, deaths=dict(deaths), faults=dict(faults), lost=0, wrong=0
    )


def _short_life(program: Program, rng: random.Random, workers: int) -> Counter[str]:
    """A run whose workers are killed one after the other, and then itself; who has died."""
    deaths = Counter[str]()
    run = program.start()
    for _ in range(workers):
        living = _at_work(run, program, rng)
        if living:
            # The oldest: Dask gives up a worker that dies while it starts, and a run without any ends after minutes.
            min(living, key=psutil.Process.create_time).kill()
            deaths["worker"] += 1
    orphans = _at_work(run, program, rng)
    deaths["program" if run.poll() is None else "done before"] += 1
    run.kill()
    run.wait()
    assert not psutil.wait_procs(orphans, timeout=60)[1], "workers outlive their program"
    return deaths


def _at_work(run: subprocess.Popen[bytes], program: Program, rng: random.Random) -> list[psutil.Process]:
    """The workers of a run, a moment after it has written of an image."""
    before, deadline = program.ended(), time.monotonic() + 600
    while run.poll() is None and not (program.ended() > before and workers_of(run.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(rng.uniform(0, SECONDS))
    return workers_of(run.pid)
