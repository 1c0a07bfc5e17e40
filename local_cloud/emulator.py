"""What we ask of MiniStack beyond serving requests: load, save, and run functions with the bare Python.

It reads its environment when it is imported, so only the server process, whose environment is prepared, imports this.
Its own saving happens at a clean end only and file by file; snapshots take its place.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from ministack import app as ministack
from ministack.core import lambda_runtime, persistence
from ministack.services import cloudwatch_logs, dynamodb, lambda_svc, s3, sqs

from local_cloud import old_logs, stream_positions, whole_objects
from local_cloud.guard import App
from local_cloud.snapshots import LoadError, SnapshotError

app: App = ministack.app

#: A background thread that changes a dictionary while it is read makes that fail; the next attempt mostly succeeds.
COPY_ATTEMPTS = 10
STREAMS = "dynamodb_stream_records"

logger = logging.getLogger("local_cloud")


def prepare(python: Path, *, notes: Path) -> None:
    """Before the start: functions get `python`, no queue more of them than there are cores, objects that are being
    written are noted in `notes`, and MiniStack neither loads nor saves by itself."""
    _run_functions_with(python)
    whole_objects.note_writes(s3, notes)
    _limit_concurrency(max(2, os.cpu_count() or 2))
    ministack.PERSIST_STATE = False
    logging.getLogger("persistence").setLevel(logging.WARNING)


def load(snapshot: Path | None) -> None:
    """Take back all that `snapshot` holds. Call it once, before the first request. Raises LoadError."""
    if snapshot is not None:
        persistence.STATE_DIR = str(snapshot)
        files = (file for file in snapshot.iterdir() if file.suffix == ".json")
        # Functions come last: with them, the queues and streams that they are for begin to be read.
        for file in sorted(files, key=lambda file: (file.stem == "lambda", file.name)):
            _take_back(file)
        _bring_back_messages_in_flight()
    _keep_function_code()


def save(folder: Path) -> None:
    """Write the state of every service into `folder`, but for what is long past. Raises SnapshotError, OSError."""
    _forget_what_is_past()
    for name, get_state in _states().items():
        text = _encoded(name, get_state)
        if text is not None:
            (folder / f"{name}.json").write_text(text, encoding="utf-8")


def end_functions() -> None:
    """End the processes of the functions, so that none outlives the server."""
    lambda_runtime.reset()


def _take_back(file: Path) -> None:
    """MiniStack itself would go on without what it cannot take, and the next snapshot would then be without it."""
    try:
        state = persistence.load_state(file.stem)
        if file.stem == STREAMS:
            stream_positions.restore(dynamodb, state)
        elif state:
            ministack._get_module(ministack._state_map[file.stem]).load_persisted_state(state)
    except Exception as error:
        logger.error("%s cannot be taken back: %r", file, error)
        raise LoadError(file) from error
    if state is None:  # the reason is in the log
        raise LoadError(file)


def _run_functions_with(python: Path) -> None:
    """For every version that a function may name: the zip is built for the Python that is here."""
    detect = lambda_runtime._detect_runtime_binary

    def detect_bare(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(python), script) if runtime.startswith("python") else (binary, script)

    lambda_runtime._detect_runtime_binary = detect_bare


def _limit_concurrency(most: int) -> None:
    """Each batch in flight is a process here. A mapping may ask for a hundred: right for AWS, too much for a laptop."""
    wanted = lambda_svc._sqs_esm_concurrency
    lambda_svc._sqs_esm_concurrency = lambda *arguments: min(most, wanted(*arguments))


def _keep_function_code() -> None:
    """Function code lies beside the snapshots, and the one on disk may need code that memory has let go of: unused
    code is thrown away once at the start, never while running. Nor is the same code hashed for every snapshot."""
    lambda_svc.get_state()
    lambda_svc._prune_orphan_code_blobs = lambda referenced: None
    lambda_svc._write_code_blob = functools.lru_cache(maxsize=8)(lambda_svc._write_code_blob)


def _forget_what_is_past() -> None:
    old_lines = functools.partial(old_logs.forget, cloudwatch_logs)
    read_records = functools.partial(stream_positions.forget, dynamodb, lambda_svc)
    for forget in (old_lines, read_records):
        try:
            forget()
        except Exception:
            logger.exception("what is long past could not be let go of; the next snapshot tries again")


def _states() -> dict[str, Callable[[], Any]]:
    states: dict[str, Callable[[], Any]] = ministack._build_persistence_save_dict()
    for module in (dynamodb, sqs, cloudwatch_logs):
        states[module.__name__.rpartition(".")[2]] = _without_copying(module)
    return {**states, STREAMS: lambda: stream_positions.unread(dynamodb, lambda_svc)}


def _without_copying(module: ModuleType) -> Callable[[], Any]:
    """The same `get_state` with a `copy` that copies nothing: its result is encoded before anything else happens.

    With 20,000 records the copies took most of the seconds in which nobody was answered.
    """
    return FunctionType(
        module.get_state.__code__, {**vars(module), "copy": SimpleNamespace(deepcopy=lambda value: value)}
    )


def _encoded(name: str, get_state: Callable[[], Any]) -> str | None:
    """The file's text in the format that MiniStack loads; None where there is nothing to save."""
    for _ in range(COPY_ATTEMPTS):
        try:
            state = get_state()
            wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
            # Not persistence.save_state: encoding straight into a file is done in Python, and ten times slower.
            return None if state is None else json.dumps(wrapped, default=persistence._json_default)
        except RuntimeError:
            continue
        except (TypeError, ValueError):
            logger.exception("the state of %s cannot be encoded and is not saved", name)
            return None
    raise SnapshotError(f"{name} was changing all the time while it was copied")


def _bring_back_messages_in_flight() -> None:
    """Whoever had received them is gone with the old process; nobody should wait for their visibility timeout."""
    now = time.time()
    for queue in sqs._queues.all_values():
        for message in queue["messages"]:
            if message.get("receive_count"):
                message["visible_at"] = min(message["visible_at"], now)
