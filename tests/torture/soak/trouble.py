"""What goes wrong during a soak besides the network: deaths, a local cloud that is stopped, a disk that is full."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.lock import holder
from tests.torture.function_processes import function_processes, kill
from tests.torture.soak.place import Place
from tests.torture.soak.url_flow import Kill, UrlMessages

#: Seconds between two stops of the local cloud.
STOPS = 30.0
#: Seconds between two deaths of a worker, at most; and how long a disk has room, and has none.
DEATHS, ROOM, NO_ROOM = 5.0, 15.0, 6.0


@dataclass
class Trouble:
    """`kills_cloud`: it is killed, not asked to stop."""

    place: Place
    rng: random.Random
    urls: UrlMessages
    kills_cloud: bool
    pause: float = STOPS
    kills: list[Kill] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    wrongs: list[str] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)
    longest_stop: float = 0

    def start(self) -> None:
        works = (self._stop_cloud, self._let_one_die, self._fill_disk)
        self._threads = [threading.Thread(target=self._go_on, args=(work,), daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Call it when the place is ending: returns when the local cloud runs and the disk has room again."""
        for thread in self._threads:
            thread.join(200)

    def _go_on(self, work: Callable[[], None]) -> None:
        try:
            while not self.place.ending.is_set():
                work()
        except BaseException:
            self.wrongs.append(f"trouble: {traceback.format_exc(limit=-6)}")

    def _stop_cloud(self) -> None:
        if self.place.ending.wait(self.pause):
            return
        began = time.monotonic()
        self.stops.append(began)
        if self.kills_cloud:
            self._kill_cloud()
        else:
            self.place.cloud.stop()
        self.place.cloud.start()
        self.made["local cloud " + ("killed" if self.kills_cloud else "stopped")] += 1
        self.longest_stop = max(self.longest_stop, time.monotonic() - began)

    def _kill_cloud(self) -> None:
        lock = self.place.cloud.home / ".local_cloud" / "server.lock"
        running = holder(lock)
        assert running is not None, "the local cloud was not there to be killed"
        saved = _saved_at(self.place.newest_state())
        os.kill(running.pid, signal.SIGKILL)
        self.kills.append(Kill(at=time.time(), saved=saved))
        deadline = time.monotonic() + 10
        while holder(lock) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _let_one_die(self) -> None:
        if self.place.ending.wait(self.rng.uniform(0, DEATHS)):
            return
        if self.rng.random() < 0.3:
            self.made["consumer's worker killed"] += self.urls.kill_worker()
        elif running := function_processes(self.place.cloud):
            self.made["function killed"] += kill(self.place.cloud, self.rng.choice(running))

    def _fill_disk(self) -> None:
        if self.place.ending.wait(ROOM):
            return
        try:
            self.place.disk.fill()
            self.made["disk filled"] += self.place.disk.is_small
            self.place.ending.wait(NO_ROOM)
        finally:
            self.place.disk.free()

    def figures(self) -> dict[str, Any]:
        ages = [kill.at - kill.saved for kill in self.kills]
        told = {"seconds_lost_at_most_by_a_kill": round(max(ages), 1)} if ages else {}
        return {**self.made, **told, "seconds_of_the_longest_stop": round(self.longest_stop, 1)}


def _saved_at(state: Path | None) -> float:
    """When the queues of a state were saved: what was there then comes back after a kill."""
    # Not the oldest file: what has nothing to save is linked from the state before.
    return (state / "sqs.json").stat().st_mtime if state else 0.0
