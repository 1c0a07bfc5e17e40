"""Runs one way of `routes.py`: a file's path comes in a line, CPU seconds, peak memory and results go out in one."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from benchmarks.peers.routes import PYTHON


def cpu_seconds() -> float:
    """Of this process with all of its threads, and of the programs that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_megabytes() -> float:
    """The most that this process has held, or a program that it ran, if that was more."""
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return max(int(own.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def answer_requests(route: str) -> None:
    """Until standard input ends."""
    work = PYTHON[route]()
    for line in sys.stdin:
        request = json.loads(line)
        data = Path(request["file"]).read_bytes()
        begun = cpu_seconds()
        small, whole = work(data)
        used = cpu_seconds() - begun
        if request.get("keep"):
            Path(request["keep"]).write_bytes(whole)
        answer = {"cpu": used, "peak": peak_megabytes(), "small": len(small), "whole": len(whole)}
        print(json.dumps(answer), flush=True)
