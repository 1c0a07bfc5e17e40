"""The program's run in a process of its own, without Dask, so that it can be killed at a step and started anew quickly.

    python compress_victim.py BUCKET FOLDER ENDPOINT [STEP NUMBER]

With STEP it kills itself when it is told of the step for the NUMBER-th time. Besides those of `process` there are two
steps: "ended", before what became of an image is written, and "written", after it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bulk.compress.gate import SlotGate
from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.options import Options
from bulk.compress.outcome import Done
from bulk.compress.run import Run
from bulk.compress.work import Bench, Order, Place
from bulk.csv_rows import Row, open_rows

STEPS = ("look", "fetch", "transform", "put", "ended", "written")


def main(bucket: str, folder: str, endpoint: str, last_step: str = "", number: str = "0") -> None:
    left = int(number)

    def watch(step: str, facts: Mapping[str, object]) -> None:
        nonlocal left
        left -= step == last_step
        if step == last_step and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    place = Place(region="us-east-1", endpoint_url=endpoint, profile=None, home=folder)
    order = Order(place=place, bucket=bucket, temp_dir=folder, options=Options())
    bench = Bench(order, place.s3(), SlotGate(Path(folder) / "gate", 1 << 30), watch)

    def compress(rows: Iterator[Row]) -> Iterator[Done]:
        for row in rows:
            done = bench.work(row)
            watch("ended", {})
            yield done

    csv = str(Path(folder) / "dataset.csv")
    with closing(Log(Path(folder))) as log, closing(Journal(Path(folder) / "run.journal")) as journal:
        with open_rows(csv, bucket) as rows:
            Run(journal, log, compress, lambda done: watch("written", {})).all(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
