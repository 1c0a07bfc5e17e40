"""Victims: processes that are started quickly, to be killed.

A process that has imported everything, `serve`, forks one for each line it reads, a JSON value, and answers with its
process id. An empty line is answered by the exit status when the victim has ended: until then its id is nobody else's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.local_cloud_fixture import ROOT


def serve(work: Callable[[Any], int]) -> None:
    """Fork a process that ends with `work(job)` for each job on stdin."""
    for line in iter(sys.stdin.readline, ""):
        victim = os.fork()
        if victim == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os._exit(work(json.loads(line)))
        print(victim, flush=True)
        sys.stdin.readline()
        _, status = os.waitpid(victim, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def die_at(wanted: str | None, occurrence: int) -> Any:
    """A watch that kills this process as rudely as can be, when it is told of the step for that many-th time."""
    left, lock = [occurrence], threading.Lock()

    def watch(step: str, facts: Any) -> None:
        if step != wanted:
            return
        with lock:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch


class Forge:
    """The process that serves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, job: Any) -> int:
        """The process id of a new victim; there is one at a time."""
        return self._ask(json.dumps(job))

    def end(self) -> int:
        """Waits; the exit code of the victim that was started last, below zero for a signal."""
        return self._ask("")

    def _ask(self, line: str) -> int:
        stdin, stdout = self._pipes()
        stdin.write(line + "\n")
        stdin.flush()
        return int(stdout.readline())

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin and self._process.stdout
        return self._process.stdin, self._process.stdout


@contextmanager
def forge(module: str, errors: Path, environ: Mapping[str, str] | None = None) -> Iterator[Forge]:
    """`module` is one that serves when it is run; `errors` takes what it and its victims write to stderr."""
    with errors.open("a") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environ,
        )  # fmt: skip
        with process:
            yield Forge(process)
            assert process.stdin
            process.stdin.close()
