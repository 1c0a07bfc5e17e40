"""One image through `transform` in a forked child within the budget, and what became of it.

A fork costs two milliseconds where a new interpreter costs a hundred: thousands of files are tried in minutes. This
process has to have one thread only.
"""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from pipeline.errors import RejectError
from pipeline.images.formats import sniff
from pipeline.images.transform import Transformed, transform

CPU_SECONDS = 10
WALL_SECONDS = 60
MEMORY = 768_000_000

#: Outcomes that must not be: the others are DONE and the codes of RejectError.
UNTYPED, CRASHED, OVER_BUDGET = "UNTYPED", "CRASHED", "OVER_BUDGET"
BAD = (UNTYPED, CRASHED, OVER_BUDGET)


@dataclass(frozen=True)
class Trial:
    """`name` says which file, or which seed of a mutation; CPU in seconds, memory in bytes on top of an idle child."""

    group: str
    name: str
    format: str
    outcome: str
    detail: str
    cpu: float
    memory: int


@dataclass(frozen=True)
class _Running:
    group: str
    name: str
    format: str
    answer: int


def try_all(images: Iterable[tuple[str, str, bytes]], jobs: int) -> Iterator[Trial]:
    """The trial of each (group, name, data), `jobs` at a time, in the order in which they end."""
    running: dict[int, _Running] = {}
    for group, name, data in images:
        while len(running) >= jobs:
            yield _ended(running)
        form = sniff(data)
        pid, answer = _start(data)
        running[pid] = _Running(group, name, form.name if form else "none", answer)
    while running:
        yield _ended(running)


def _start(data: bytes) -> tuple[int, int]:
    answer, told = os.pipe()
    pid = os.fork()
    if pid:
        os.close(told)
        return pid, answer
    try:
        _limit()
        os.write(told, json.dumps(_attempt(data)).encode()[:60_000])
    finally:
        os._exit(0)


def _limit() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.alarm(WALL_SECONDS)
    # A forked child begins with no CPU time of its own.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + MEMORY,) * 2)


def _attempt(data: bytes) -> dict[str, object]:
    idle = _status("VmRSS")
    try:
        outcome, detail = "DONE", _faults(transform(data))
        outcome = UNTYPED if detail else outcome
    except RejectError as error:
        outcome, detail = str(error.code), error.reason
    except BaseException as error:
        outcome, detail = UNTYPED, f"{type(error).__name__}: {error}"
    return {"outcome": outcome, "detail": detail[:300], "memory": max(0, _status("VmHWM") - idle)}


def _faults(made: Transformed) -> str:
    """What is wrong with outputs that came without an error; nothing, as a rule."""
    for output in made.outputs:
        form = sniff(output.data)
        if form and form.name != output.format:
            return f"{output.name} begins as {form.name}, not as {output.format}"
    thumbnail = made.outputs[0]
    with Image.open(BytesIO(thumbnail.data)) as image:
        image.load()
        return "" if image.size == thumbnail.size else f"a thumbnail of {image.size}, not {thumbnail.size}"


def _status(name: str) -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) * 1024


def _ended(running: dict[int, _Running]) -> Trial:
    """The next child that ends; its answer fits into the pipe, so it never waits for us."""
    pid, status, usage = os.wait4(-1, 0)
    trial = running.pop(pid)
    with os.fdopen(trial.answer, "rb") as pipe:
        told = pipe.read()
    answer = json.loads(told) if told else _without_answer(os.waitstatus_to_exitcode(status))
    cpu = usage.ru_utime + usage.ru_stime
    return Trial(trial.group, trial.name, trial.format, cpu=round(cpu, 3), **answer)


def _without_answer(status: int) -> dict[str, object]:
    over = status in (-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL)
    return {"outcome": OVER_BUDGET if over else CRASHED, "detail": f"ended with {status}", "memory": 0}
