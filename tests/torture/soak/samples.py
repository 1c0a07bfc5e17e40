"""What is measured every few seconds, and whether it stays flat.

A series is flat if the line through it (Theil and Sen: the median of the slopes between its points, which a few wild
ones cannot turn) rises by no more than `GROWTH` of its middle value, or by no more than the least that its kind counts,
from the end of the warm-up, a quarter of the run, to the end.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.lock import holder
from tests.torture.function_processes import function_processes
from tests.torture.memory import rss
from tests.torture.soak.place import IMPATIENT, Place
from tests.torture.soak.url_flow import UrlMessages, depth

GROWTH = 0.10
WARM_UP = 0.25
#: Less than so much more is no growth: kilobytes, open files, connections, files and processes, messages. Clients keep
#: connections for as long as 75 s: how many a server has depends on how many clients were at work since its start.
LEAST = {"memory": 10_000.0, "open files": 16.0, "connections": 60.0, "temporary": 10.0, "queues": 30.0}
_MOST_POINTS = 300

#: Kind and name of what is measured: ("memory", "local cloud").
Name = tuple[str, str]


@dataclass
class Series:
    points: list[tuple[float, float]] = field(default_factory=list)

    def growth(self) -> float:
        """By how much the line through all after the warm-up rises."""
        warm = self._after_warm_up()
        if len(warm) < 8:
            return 0.0
        slopes = [(b - a) / (t - s) for n, (s, a) in enumerate(warm) for t, b in warm[n + 1 :]]
        return statistics.median(slopes) * (warm[-1][0] - warm[0][0])

    def middle(self) -> float:
        return statistics.median(value for _, value in self._after_warm_up() or [(0, 0)])

    def _after_warm_up(self) -> list[tuple[float, float]]:
        end = self.points[-1][0] if self.points else 0.0
        warm = [point for point in self.points if point[0] >= WARM_UP * end]
        return warm[:: max(1, len(warm) // _MOST_POINTS)]


def grown(samples: Mapping[Name, Series]) -> list[str]:
    """Every series that is not flat."""
    found = []
    for (kind, name), series in samples.items():
        growth, bound = series.growth(), max(LEAST[kind], GROWTH * series.middle())
        if growth > bound:
            found.append(f"{kind} of {name} grew by {growth:.0f}, more than {bound:.0f}")
    return found


@dataclass
class Sampler:
    """Takes a sample every `pause` seconds, in a thread, until told to stop."""

    place: Place
    urls: UrlMessages
    pause: float
    series: dict[Name, Series] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sqs = self.place.cloud.client("sqs", config=IMPATIENT)
        self._began, self._done = time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._done.wait(self.pause):
                self._take()
        except BaseException:
            self.wrongs.append(f"sampler: {traceback.format_exc(limit=-6)}")

    def _take(self) -> None:
        now = time.monotonic() - self._began
        for name, value in self._sample():
            self.series.setdefault(name, Series()).points.append((round(now, 1), value))

    def _sample(self) -> Iterator[tuple[Name, float]]:
        for role, pids in self._processes().items():
            if memory := [kilobytes for pid in pids if (kilobytes := rss(pid))]:
                yield ("memory", role), max(memory)
                files, connections = zip(*map(opened_by, pids), strict=True)
                yield ("open files", role), max(files)
                yield ("connections", role), max(connections)
        for name, folder in self._folders().items():
            yield ("temporary", name), _files(folder)
        # Each holds the whole code of a function.
        unpacked = self.place.cloud.home / ".local_cloud" / "tmp"
        yield ("temporary", "folders of the local cloud"), len(list(unpacked.glob("*")))
        yield ("temporary", "processes"), len(processes_of(self.place.folder))
        with suppress(BotoCoreError, ClientError):
            yield from [(("queues", name), look()) for name, look in self._queues().items()]

    def _processes(self) -> dict[str, list[int]]:
        server = holder(self.place.cloud.home / ".local_cloud" / "server.lock")
        return {
            "local cloud": [server.pid] if server else [],
            "function": function_processes(self.place.cloud),
            "image service": [self.urls.consumer.pid],
            "image service's workers": self.urls.workers(),
        }

    def _folders(self) -> dict[str, Path]:
        return {
            "files of the image service": self.urls.temporary,
            "files on the small disk": self.place.disk.folder,
        }

    def _queues(self) -> dict[str, Callable[[], float]]:
        names = self.place.tortured.names
        urls = {
            "uploads": names["messages-queue"],
            "dead letters": names["dead-letter-queue"],
            "image service": self.urls.queue_url,
            "redirected": self.urls.redirect_url,
        }
        return {name: partial(depth, self._sqs, url) for name, url in urls.items()}


def opened_by(pid: int) -> tuple[int, int]:
    """How many files, pipes and the like the process has open, and how many sockets."""
    kinds = []
    with suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                kinds.append(os.readlink(f"/proc/{pid}/fd/{number}").partition(":")[0] == "socket")
    return len(kinds) - sum(kinds), sum(kinds)


def processes_of(folder: Path) -> list[int]:
    """All processes that were started for what lies in `folder`: it stands in their environment."""
    return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if str(folder).encode() in _told(pid)]


def _told(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


def _files(folder: Path) -> float:
    """What is there but the drained files themselves and what the drainer keeps beside them."""
    # os.walk, unlike rglob, passes over folders that go while it looks.
    return sum(len(files) for place, _, files in os.walk(folder) if "/drained-" not in place)
