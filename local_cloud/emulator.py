"""What we ask of MiniStack beyond serving requests: load, save, and run functions with the bare Python.

It reads its environment when it is imported, so only the server process, whose environment is prepared, imports this.
Its own saving happens at a clean end only and file by file; snapshots take its place.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app as ministack
from ministack.core import lambda_runtime, persistence
from ministack.services import dynamodb, lambda_svc, sqs

from local_cloud import stream_positions
from local_cloud.guard import App
from local_cloud.snapshots import SnapshotError

app: App = ministack.app

#: A background thread that changes a table while it is copied makes the copy fail; the next attempt mostly succeeds.
COPY_ATTEMPTS = 10
STREAMS = "dynamodb_stream_records"

logger = logging.getLogger("local_cloud")


def prepare(python: Path) -> None:
    """Before the start: functions get `python`, and MiniStack neither loads nor saves by itself."""
    detect = lambda_runtime._detect_runtime_binary

    def detect_bare(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(python), script) if runtime.startswith("python") else (binary, script)

    lambda_runtime._detect_runtime_binary = detect_bare
    ministack.PERSIST_STATE = False
    logging.getLogger("persistence").setLevel(logging.WARNING)


def load(snapshot: Path | None) -> None:
    """Take back what `snapshot` holds. Call it once, before the first request."""
    if snapshot is not None:
        persistence.STATE_DIR = str(snapshot)
        ministack._load_persisted_state()
        stream_positions.restore(dynamodb, persistence.load_state(STREAMS))
        _bring_back_messages_in_flight()
    _keep_function_code()


def save(folder: Path) -> None:
    """Write the state of every service into `folder`. Raises SnapshotError."""
    persistence.STATE_DIR = str(folder)
    for name, get_state in _states().items():
        state = _copied(name, get_state)
        if state is None:
            continue
        persistence.save_state(name, state)
        if not (folder / f"{name}.json").exists():  # it logs the reason and raises nothing
            raise SnapshotError(f"the state of {name} could not be written; the log says why")


def end_functions() -> None:
    """End the processes of the functions, so that none outlives the server."""
    lambda_runtime.reset()


def _keep_function_code() -> None:
    """Function code lies beside the snapshots, and the one on disk may need code that memory has let go of: unused
    code is thrown away once at the start, never while running. Nor is the same code hashed for every snapshot."""
    lambda_svc.get_state()
    lambda_svc._prune_orphan_code_blobs = lambda referenced: None
    lambda_svc._write_code_blob = functools.lru_cache(maxsize=8)(lambda_svc._write_code_blob)


def _states() -> dict[str, Callable[[], Any]]:
    states: dict[str, Callable[[], Any]] = ministack._build_persistence_save_dict()
    return {**states, STREAMS: lambda: stream_positions.unread(dynamodb, lambda_svc)}


def _copied(name: str, get_state: Callable[[], Any]) -> Any:
    for _ in range(COPY_ATTEMPTS):
        try:
            return get_state()
        except RuntimeError:  # a dictionary changed its size while it was copied
            continue
    raise SnapshotError(f"{name} was changing all the time while it was copied")


def _bring_back_messages_in_flight() -> None:
    """Whoever had received them is gone with the old process; nobody should wait for their visibility timeout."""
    now = time.time()
    for queue in sqs._queues.all_values():
        for message in queue["messages"]:
            if message.get("receive_count"):
                message["visible_at"] = min(message["visible_at"], now)
