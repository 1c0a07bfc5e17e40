"""A fetcher that may reach this machine's loopback, and fetches in a process of its own that is measured."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, RejectError
from pipeline.web.guard import Guard
from pipeline.web.outbound import Outbound
from pipeline.web.sources import Fetcher
from tests.meta.project import ROOT


def loopback_outbound(*ports: int, **named: Any) -> Outbound:
    return Outbound(Guard(networks=[ip_network("127.0.0.0/8")], ports=frozenset(ports)), **named)


def end_of(fetcher: Fetcher, url: str) -> str:
    """What becomes of it: `… bytes`, the code of a refusal, or the name of another error."""
    try:
        return f"{len(fetcher.fetch(url).data)} bytes"
    except RejectError as error:
        return error.code
    except PipelineError as error:
        return type(error).__name__


def fetch_apart(urls: dict[str, str], port: int, *, deadline: float, threads: int) -> dict[str, Any]:
    """Fetch `urls` in another process: by the same names, what became of each and in how many seconds; `peak` bytes."""
    question = json.dumps({"urls": urls, "port": port, "deadline": deadline, "threads": threads})
    ended = subprocess.run(
        [sys.executable, "-m", __name__],
        input=question,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def main() -> None:
    question = json.load(sys.stdin)
    outbound = loopback_outbound(question["port"], per_host=question["threads"])
    fetcher = Fetcher(outbound, deadline=question["deadline"])
    with ThreadPoolExecutor(question["threads"]) as pool:
        ends = dict(
            zip(question["urls"], pool.map(lambda url: _timed(fetcher, url), question["urls"].values()), strict=True)
        )
    print(json.dumps({"ends": ends, "peak": _peak()}))


def _peak() -> int:
    """The most memory that this process has had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage says on Linux counts the process that this one was forked from, too.
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _timed(fetcher: Fetcher, url: str) -> tuple[str, float]:
    began = time.monotonic()
    return end_of(fetcher, url), time.monotonic() - began


if __name__ == "__main__":
    main()
