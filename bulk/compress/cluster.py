"""Images in parallel by Dask: worker processes on this machine, or those of a cluster.

Only keys and settings go to the workers, and only what became of an image comes back; a worker that dies is replaced,
and its image is given to another.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Any

from bulk.compress.bounds import Bounds, within
from bulk.compress.interrupts import deaf_to_ctrl_c, uninterrupted
from bulk.compress.outcome import Done, Outcome
from bulk.compress.remote import connected, no_worker, while_workers_are_there
from bulk.compress.work import Order, compress
from bulk.csv_rows import Row

#: Rows that are given out for each thread of a worker: enough that none waits, few enough that memory stays flat.
_AHEAD = 2
#: In which a worker that has died is there again, even on a busy machine.
_RESTART_SECONDS = 20
#: How often an image may lie with a worker that dies, before it is put off: it may have been another one's fault.
_DEATHS = 1
#: Dask gives a worker up whose process cannot be started again, and those of a cluster may all go home.
_NO_WORKER_SECONDS = 300
#: Dask remembers how it read the names of its last 100,000 tasks, which no setting lowers: 80 MB of names that never
#: come again. So many are kept.
_NAMES = 100
_ANY_PORT = "127.0.0.1:0"
_SETTINGS: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": _DEATHS,
    "distributed.scheduler.no-workers-timeout": f"{_NO_WORKER_SECONDS}s",
    # What Dask remembers of tasks that have ended.
    "distributed.admin.log-length": 100,
    "distributed.admin.low-level-log-length": 100,
    "distributed.admin.system-monitor.log-length": 60,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.preload": ["bulk.compress.preload"],
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}

Map = Callable[[Iterator[Row]], Iterator[Done]]
Work = Callable[[Order, Row], Done]


@contextmanager
def workers(
    order: Order,
    *,
    count: int,
    scheduler: str | None = None,
    work: Work = compress,
    bounds: Bounds | None = None,
    no_worker_seconds: float = _NO_WORKER_SECONDS,
) -> Iterator[Map]:
    """A function that does `work` on many rows, in any order, by `count` processes or by those of a cluster.

    `bounds`: of one image in a process of ours; those of a cluster are not ours to end.
    """
    import dask

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(_SETTINGS):
        if scheduler:
            with connected(scheduler) as client:
                places = sum(client.nthreads().values())
                watched = partial(while_workers_are_there, client, seconds=no_worker_seconds)
                yield lambda rows: _map(client, places, work, order, rows, watched)
            return
        bounded = partial(within, work, bounds or Bounds())
        with _local_cluster(count) as client:
            yield lambda rows: _map(client, count, bounded, order, rows)


@contextmanager
def _local_cluster(count: int) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        # Dask cannot end what it has half begun.
        with uninterrupted(), deaf_to_ctrl_c():
            cluster = LocalCluster(n_workers=count, threads_per_worker=1, silence_logs=logging.CRITICAL, **_local())
            stack.callback(_close, cluster)
        client = stack.enter_context(Client(cluster))
        try:
            yield client
        finally:
            # Dask fails to stop a worker that it is just starting again.
            with suppress(TimeoutError):
                client.wait_for_workers(count, timeout=_RESTART_SECONDS)


def _close(cluster: Any) -> None:
    with uninterrupted(), suppress(AssertionError):
        cluster.close()


def _local() -> dict[str, Any]:
    """Settings of a cluster that nobody else is to reach."""
    from distributed.scheduler import DEFAULT_EXTENSIONS as OF_SCHEDULER
    from distributed.worker import DEFAULT_EXTENSIONS as OF_WORKER

    # Spans keep something of every task that was ever submitted. HTTP is served even without a dashboard, and a second
    # run on this machine would warn that the usual port is taken.
    of_scheduler = {"extensions": _without_spans(OF_SCHEDULER), "dashboard": False, "dashboard_address": _ANY_PORT}
    # Memory is our own gate's to share out: Dask would kill a worker that has more than its part, and an image that
    # needs most of the memory could never be done.
    workers = {"memory_limit": 0, "extensions": _without_spans(OF_WORKER)}
    return {"host": "127.0.0.1", "dashboard_address": None, "scheduler_kwargs": of_scheduler, **workers}


def _without_spans(extensions: Mapping[str, Any]) -> dict[str, Any]:
    return {name: extension for name, extension in extensions.items() if name != "spans"}


def _map(
    client: Any,
    places: int,
    work: Work,
    order: Order,
    rows: Iterator[Row],
    as_they_end: Callable[[Any], Iterator[Any]] = iter,
) -> Iterator[Done]:
    # `places`, and not how many workers there are: just now they may all be dead, and being started again.
    from dask.utils import key_split
    from distributed import as_completed

    under_way: dict[str, Row] = {}

    def give_out(number: int) -> list[Any]:
        futures = []
        for row in islice(rows, number):
            future = client.submit(work, order, row, pure=False)
            under_way[future.key] = row
            futures.append(future)
        return futures

    ended = as_completed(give_out(_AHEAD * places))
    for number, future in enumerate(as_they_end(ended), 1):
        yield _done(future, under_way.pop(future.key))
        ended.update(give_out(1))
        if number % _NAMES == 0:
            key_split.cache_clear()


def _done(future: Any, row: Row) -> Done:
    ended = partial(Done, line=row.line, key=row.key)
    again = partial(ended, outcome=Outcome.RETRY)
    try:
        error = future.exception()
        if error is None:
            return future.result()  # type: ignore[no-any-return]
    except (Exception, CancelledError) as lost:
        # A worker that dies takes with it what it has not handed over.
        return again(reason=f"what became of it was lost with its worker: {lost!r}")
    kind = type(error).__name__
    if kind == "KilledWorker":
        deaths = error.allowed_failures + 1
        return ended(outcome=Outcome.SUSPECT, reason=f"{deaths} workers died while they worked on it")
    if "NoValidWorker" in kind or "NoWorker" in kind:
        return again(reason="no worker was left", stop=no_worker())
    return again(reason=f"a bug: {error!r}")
