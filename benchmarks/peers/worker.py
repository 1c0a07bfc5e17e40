"""Runs one way of `routes.py`: paths come in a line, CPU and wall seconds, peak memory and results go out in one."""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
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
        files = [Path(name).read_bytes() for name in request["files"]]
        begun, since = cpu_seconds(), time.perf_counter()
        with ThreadPoolExecutor(request["at_once"]) as pool:
            made = list(pool.map(work, files)) if request["at_once"] > 1 else [work(data) for data in files]
        used, wall = cpu_seconds() - begun, time.perf_counter() - since
        if request["keep"]:
            Path(request["keep"]).write_bytes(made[0][1])
        small, whole = (sum(len(pair[place]) for pair in made) for place in (0, 1))
        print(
            json.dumps({"cpu": used, "wall": wall, "peak": peak_megabytes(), "small": small, "whole": whole}),
            flush=True,
        )
