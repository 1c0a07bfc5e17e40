"""Drainers to be killed: a process that has imported everything forks one for each line it reads.

A line is a JSON object {"arguments": […], "environ": {…}, "step": name or null, "occurrence": n}, answered by the
victim's process id; at its n-th time of that step it kills itself. An empty line is answered by its exit status when it
has ended: until then its id is nobody else's.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import awscrt.checksums  # type: ignore[import-untyped]  # noqa: E402, F401
import botocore.session  # noqa: E402, F401

import bulk.drain.run  # noqa: E402, F401
from bulk.drain_bucket import Surroundings, main  # noqa: E402


def die_at(step: str | None, occurrence: int) -> Any:
    """A watch that kills this process as rudely as can be."""
    left, lock = [occurrence], threading.Lock()

    def watch(at: str, key: str) -> None:
        if at != step:
            return
        with lock:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch


def be_victim(job: dict[str, Any]) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    watch = die_at(job["step"], job["occurrence"])
    os._exit(main(job["arguments"], Surroundings(environ=job["environ"], watch=watch)))


def serve() -> None:
    for line in iter(sys.stdin.readline, ""):
        victim = os.fork()
        if victim == 0:
            be_victim(json.loads(line))
        print(victim, flush=True)
        sys.stdin.readline()
        _, status = os.waitpid(victim, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
