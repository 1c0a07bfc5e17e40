"""A list of a million keys takes no more memory than one of some thousand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.meta.project import ROOT
from tests.torture.results import Results

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]

#: Reads a list, writes journal and log and says its resident memory at a tenth of the way and at the end, in kB.
PROGRAM = """
import sys; sys.path.insert(0, sys.argv[1])
from contextlib import closing, nullcontext
from pathlib import Path
import psutil
from bulk.compress.cluster import workers
from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.options import Options
from bulk.compress.outcome import Done, Outcome
from bulk.compress.run import Run
from bulk.compress.work import Order, Place
from bulk.csv_rows import open_rows

def work(order, row):
    return Done(line=row.line, key=row.key, outcome=Outcome.IGNORED, reason="x" * 100)

if __name__ == "__main__":
    folder, count, way = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    with (folder / "list.csv").open("w") as file:
        file.write("path\\n")
        file.writelines(f"images/of/a/bucket/{number * 7919 % 1000003:07}.jpg\\n" for number in range(count))
    place = Place(region="", endpoint_url=None, profile=None, home="")
    order = Order(place=place, bucket="b", temp_dir="", options=Options())
    told = 0
    def tell(done):
        global told
        told += 1
        if told in (count // 10, count):
            print(psutil.Process().memory_info().rss // 1024, flush=True)
    inline = nullcontext(lambda rows: (work(order, row) for row in rows))
    by = workers(order, count=1, work=work) if way == "dask" else inline
    with by as compress, closing(Log(folder)) as log, closing(Journal(folder / "run.journal")) as journal:
        with open_rows(str(folder / "list.csv"), "b") as rows:
            Run(journal, log, compress, tell).all(rows)
"""


@pytest.mark.parametrize(("way", "slice", "full"), [("inline", 50_000, 1_000_000), ("dask", 2_000, 20_000)])
def test_memory_does_not_grow_with_the_list(tmp_path, full_torture, results: Results, way, slice, full):
    count = full if full_torture else slice
    (tmp_path / "program.py").write_text(PROGRAM)

    ended = subprocess.run(
        [sys.executable, "program.py", str(ROOT), str(tmp_path), str(count), way],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stderr
    early, late = map(int, ended.stdout.split())
    assert late - early < 25_000, (early, late)
    results.say(rows=count, kilobytes_at_a_tenth=early, kilobytes_at_the_end=late)
