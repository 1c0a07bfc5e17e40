"""A list of a million keys takes no more memory than one of some thousand."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.meta.project import ROOT
from tests.torture.results import Results

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]

#: The journal's share of the disk that SQLite keeps in memory, and room for what allocators do not give back.
MOST_KILOBYTES = 12_000

#: Reads a list, writes journal and log and says its resident memory at a tenth of the way and at the end, in kB.
PROGRAM = """
import sys
from contextlib import closing
from pathlib import Path
import psutil
from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.outcome import Done, Outcome
from bulk.compress.run import Run
from bulk.csv_rows import open_list, read_rows

def work(row):
    return Done(line=row.line, key=row.key, outcome=Outcome.IGNORED, reason="x" * 100)

folder, count = Path(sys.argv[1]), int(sys.argv[2])
with (folder / "list.csv").open("w") as file:
    file.write("path\\n")
    file.writelines(f"images/of/a/bucket/{number * 7919 % 1000003:07}.jpg\\n" for number in range(count))
told = 0
def tell(done):
    global told
    told += 1
    if told in (count // 10, count):
        print(psutil.Process().memory_info().rss // 1024, flush=True)
with closing(Log(folder)) as log, closing(Journal(folder / "run.journal")) as journal:
    with open_list(str(folder / "list.csv")) as file:
        Run(journal, log, lambda rows: map(work, rows), tell).all(read_rows(file, "b"))
"""


def numbers_of(*command: str) -> list[list[int]]:
    """The numbers that a program of ours prints, line by line."""
    ended = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return [[int(word) for word in line.split()] for line in ended.stdout.splitlines()]


def test_memory_does_not_grow_with_the_list(tmp_path: Path, full_torture, results: Results):
    count = 1_000_000 if full_torture else 50_000

    [[early], [late]] = numbers_of("-c", PROGRAM, str(tmp_path), str(count))

    assert late - early < MOST_KILOBYTES, (early, late)
    results.say(rows=count, kilobytes_at_a_tenth=early, kilobytes_at_the_end=late)


def test_dask_keeps_nothing_of_images_that_are_done(full_torture, results: Results):
    # Each time costs Dask some hundred blocks, however few the rows; more where the machine is busy.
    rows, times = (10_000, 10) if full_torture else (1_000, 5)

    found = numbers_of("-m", "tests.torture.dask_memory", str(rows), str(times))

    # What is loaded late comes once, what is kept comes every time: two blocks a row, if it is only the names of tasks.
    blocks, kilobytes = zip(*found, strict=True)
    least = min(after - before for before, after in pairwise(blocks))
    assert least / rows < 0.5, found
    assert kilobytes[-1] - kilobytes[1] < MOST_KILOBYTES, found
    results.say(rows=rows * times, kilobytes_at_the_second_time=kilobytes[1], kilobytes_at_the_end=kilobytes[-1])
