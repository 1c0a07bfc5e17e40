"""Runs on a Dask cluster that others have started."""

from __future__ import annotations

import pytest
from distributed import LocalCluster

from bulk.compress.cluster import workers
from bulk.compress.options import Options
from bulk.compress.outcome import Done, Outcome
from bulk.compress.work import Order, Place
from bulk.csv_rows import Row
from cli.exits import CommandError, Exit
from tests.waiting import eventually

PLACE = Place(region="us-east-1", endpoint_url=None, profile=None, home="")
ORDER = Order(place=PLACE, bucket="meu-bucket", temp_dir="", options=Options())


def ignored(order: Order, row: Row) -> Done:
    return Done(line=row.line, key=row.key, outcome=Outcome.IGNORED)


def test_a_run_whose_workers_have_all_gone_ends_in_words_and_does_not_wait_for_ever():
    with (
        LocalCluster(
            n_workers=1,
            processes=False,
            protocol="tcp://",
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
        ) as cluster,
        workers(ORDER, count=1, scheduler=cluster.scheduler_address, work=ignored, no_worker_seconds=0.5) as compress,
    ):
        done = list(compress(iter([Row(2, "a.jpg"), Row(3, "b.jpg"), Row(4, "c.jpg")])))
        cluster.scale(0)
        eventually(lambda: not cluster.scheduler.workers)

        with pytest.raises(CommandError, match="no worker is left") as stopped:
            list(compress(iter([Row(5, "d.jpg")])))

    assert sorted(one.line for one in done) == [2, 3, 4]
    assert stopped.value.exit_code == Exit.SOME_FAILED
