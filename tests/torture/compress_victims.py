"""Runs of the CSV program without Dask, to be killed (`forge.py`).

A job is {"bucket": name, "folder": path, "endpoint": address, "step": name or null, "occurrence": n}: at its n-th time
of that step it kills itself. Besides those of `process` there are two steps: "ended", before what became of an image is
written, and "written", after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bulk.compress.gate import SlotGate
from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.options import Options
from bulk.compress.outcome import Done
from bulk.compress.run import Run
from bulk.compress.work import Bench, Order, Place
from bulk.csv_rows import Row, open_list, read_rows
from tests.torture.forge import die_at, serve

STEPS = ("look", "fetch", "transform", "put", "ended", "written")


def compress_all(job: dict[str, Any]) -> int:
    folder = Path(job["folder"])
    watch = die_at(job["step"], job["occurrence"])
    place = Place(region="us-east-1", endpoint_url=job["endpoint"], profile=None, home=str(folder))
    order = Order(place=place, bucket=job["bucket"], temp_dir=str(folder), options=Options())
    bench = Bench(order, place.s3(), SlotGate(folder / "gate", 1 << 30), watch)

    def compress(rows: Iterator[Row]) -> Iterator[Done]:
        for row in rows:
            done = bench.work(row)
            watch("ended", {})
            yield done

    with closing(Log(folder)) as log, closing(Journal(folder / "run.journal")) as journal:
        with open_list(str(folder / "dataset.csv")) as file:
            rows = read_rows(file, job["bucket"])
            Run(journal, log, compress, lambda done: watch("written", {})).all(rows)
    return 0


if __name__ == "__main__":
    serve(compress_all)
