"""A Dask cluster that others have started: whether it may be trusted, and whether anybody works there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from cli.exits import CommandError, Exit
from pipeline.clients import is_loopback

_CONNECT_SECONDS = 20
#: How often it is seen whether an image has ended, and whether workers are there.
_PAUSE, _LOOK_SECONDS = 0.02, 5.0


def require_trusted(scheduler: str, *, trusted: bool) -> None:
    """CommandError for an address off this machine whose answers nobody vouches for."""
    address = urlsplit(scheduler)
    if address.scheme not in ("tcp", "tls") or not address.hostname or not address.port:
        raise CommandError(f"--scheduler {scheduler} is no address of a Dask scheduler: tcp://127.0.0.1:8786 is one")
    if address.scheme == "tcp" and not is_loopback(scheduler) and not trusted:
        raise CommandError(
            f"--scheduler {scheduler} is neither encrypted nor on this machine, and whoever answers there can run code "
            "here: use tls://, or add --trust_scheduler in a network where only you can answer"
        )


@contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError) as error:
        raise CommandError(f"no Dask scheduler answers at {scheduler}: {error}") from error
    with client:
        if not client.nthreads():
            raise CommandError(f"the Dask scheduler at {scheduler} has no workers: start some with `dask worker`")
        yield client


def no_worker() -> CommandError:
    text = "no worker is left, and none comes back: see whether the machine has memory, and run the command again"
    return CommandError(text, Exit.SOME_FAILED)


def while_workers_are_there(client: Any, ended: Any, *, seconds: float) -> Iterator[Any]:
    """The futures of `as_completed` as they end; CommandError where the cluster has had no worker for so long.

    How long its scheduler waits for workers was said by whoever started it: for ever, mostly.
    """
    seen = looked = time.monotonic()
    while not ended.is_empty():
        ready = ended.next_batch(block=False)
        yield from ready
        if ready:
            seen = time.monotonic()
            continue
        time.sleep(_PAUSE)
        if time.monotonic() - looked >= min(_LOOK_SECONDS, seconds / 2):
            looked = time.monotonic()
            with suppress(OSError):
                seen = looked if client.nthreads() else seen
        if looked - seen >= seconds:
            raise no_worker()
