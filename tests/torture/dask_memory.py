"""Gives out so many rows by Dask, again and again, and says each time what the process then holds that has client and
scheduler in it: blocks of Python's allocator, and kilobytes of resident memory.

    python -m tests.torture.dask_memory ROWS TIMES
"""

from __future__ import annotations

import gc
import sys

import psutil  # type: ignore[import-untyped]

from bulk.compress.cluster import workers
from bulk.compress.options import Options
from bulk.compress.outcome import Done, Outcome
from bulk.compress.work import Order, Place
from bulk.csv_rows import Row


def work(order: Order, row: Row) -> Done:
    return Done(line=row.line, key=row.key, outcome=Outcome.IGNORED)


def main(rows: int, times: int) -> None:
    place = Place(region="", endpoint_url=None, profile=None, home="")
    order = Order(place=place, bucket="b", temp_dir="", options=Options())
    # Pickled by its name, as the real work is.
    from tests.torture import dask_memory

    with workers(order, count=1, work=dask_memory.work) as compress:
        for number in range(times):
            lines = range(number * rows, (number + 1) * rows)
            assert sum(1 for _ in compress(Row(line, f"{line}.jpg") for line in lines)) == rows
            gc.collect()
            print(sys.getallocatedblocks(), psutil.Process().memory_info().rss // 1024, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
