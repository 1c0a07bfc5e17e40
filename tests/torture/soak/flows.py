"""What people and programs do all the time, each flow in a thread of its own, and what each must have at the end."""

from __future__ import annotations

import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.images import jpeg, photo, png, truncated
from tests.torture.soak.place import Place, insist
from tests.torture.soak.programs import Programs


class Flow(Protocol):
    """`turn` does one thing, for some seconds at most; `finish` lets the flow come to its end without any trouble and
    returns in what that end is wrong. Anything that either raises is wrong as well."""

    name: str

    def turn(self) -> None: ...
    def finish(self) -> list[str]: ...
    def figures(self) -> dict[str, Any]: ...


class Flows:
    """All flows at once."""

    def __init__(self, flows: Sequence[Flow], ending: threading.Event) -> None:
        self.flows, self._ending = flows, ending
        self.wrongs: list[str] = []
        self.seconds: dict[str, float] = {}
        self._untroubled = threading.Event()
        self._threads = [threading.Thread(target=self._live, args=(flow,), daemon=True) for flow in flows]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Call it when the trouble is over: waits until each has come to its end."""
        self._untroubled.set()
        for thread in self._threads:
            thread.join()

    def _live(self, flow: Flow) -> None:
        try:
            while not self._ending.is_set():
                flow.turn()
            self._untroubled.wait()
            began = time.monotonic()
            self.wrongs += [f"{flow.name}: {wrong}" for wrong in flow.finish()]
            self.seconds[flow.name] = round(time.monotonic() - began, 1)
        except BaseException:
            self.wrongs.append(f"{flow.name}: {traceback.format_exc(limit=-6)}")
            # An hour is long for somebody who waits.
            print(self.wrongs[-1], file=sys.stderr)


GOOD = [jpeg(photo((side, 48)), quality=95) for side in range(48, 72, 4)] + [png(photo((40, 56)))]
CONTENTS: list[tuple[bytes, str]] = [
    *((data, "DONE") for data in GOOD),
    (truncated(GOOD[0]), "TRUNCATED_IMAGE"),
    (b"no picture", "INVALID_EXTENSION"),
]


#: So many messages wait at most, and so many dead letters until they are redriven.
MOST_WAITING, MOST_DEAD = 40, 5
#: Seconds after which a delete marker expires: what the local cloud loses when it is killed is always younger.
MONTH = 30.0


@dataclass
class Uploads:
    """Somebody who uploads, overwrites and deletes; now and then old versions expire, and dead letters are redriven."""

    place: Place
    rng: random.Random
    loses_records: bool = False
    most_keys: int = 120
    name: str = "uploads"
    wanted: dict[str, str | None] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    _gone_since: dict[str, float] = field(default_factory=dict)

    def turn(self) -> None:
        # Few wait at a time: the queue shall be as deep at the end as in the beginning, however slow the machine is.
        if insist(lambda: self.place.tortured.count("messages-queue")) > MOST_WAITING:
            self.place.ending.wait(0.5)
            return
        if insist(lambda: self.place.tortured.count("dead-letter-queue")) > MOST_DEAD:
            self.done["redriven"] += insist(self.place.tortured.redrive)
        key, chance = f"soak/été {self.rng.randrange(self.most_keys):03} + %.jpg", self.rng.random()
        if chance < 0.6:
            self._put(key)
        elif chance < 0.75:
            self.place.tortured.delete(key)
            self.wanted[key], self._gone_since[key] = None, time.monotonic()
            self.done["deleted"] += 1
        else:
            if key not in self._gone_since or time.monotonic() - self._gone_since[key] > MONTH:
                insist(lambda: self._expire(key))
        self.place.ending.wait(self.rng.uniform(0, 0.6))

    def _put(self, key: str) -> None:
        data, outcome = self.rng.choice(CONTENTS)
        self.done["overwritten" if self.wanted.get(key) else "put"] += 1
        self.place.tortured.upload(key, data)
        self.wanted[key], self.data[key] = outcome, data
        self._gone_since.pop(key, None)

    def _expire(self, key: str) -> None:
        """What the lifecycle rule does: old versions go for good, and then a delete marker that hides nothing."""
        s3, bucket = self.place.tortured.client("s3"), self.place.tortured.names["images-bucket"]
        found = s3.list_object_versions(Bucket=bucket, Prefix=key)
        for entry in [one for one in found.get("Versions", []) + found.get("DeleteMarkers", []) if not one["IsLatest"]]:
            s3.delete_object(Bucket=bucket, Key=key, VersionId=entry["VersionId"])
            self.done["expired"] += 1
        for marker in [one for one in found.get("DeleteMarkers", []) if one["IsLatest"]]:
            s3.delete_object(Bucket=bucket, Key=key, VersionId=marker["VersionId"])

    def finish(self) -> list[str]:
        tortured = self.place.tortured
        wrongs = self._lost()
        self._settle()
        if self.loses_records:
            before = tortured.wrongs(self.wanted)
            self.done["wrong before the backfill"] = len(before)
            done = tortured.deployment.command("bulk/backfill.py", "--local", "--force", "--from-start")
            wrongs += [done.stderr] if done.returncode else []
            self._settle()
        return wrongs + tortured.wrongs(self.wanted)

    def _settle(self) -> None:
        """Until nothing is left to do, dead letters included."""
        tortured = self.place.tortured
        tortured.wait_until_idle(timeout=600)
        while tortured.count("dead-letter-queue"):
            self.done["redriven"] += tortured.redrive()
            tortured.wait_until_idle(timeout=600)

    def _lost(self) -> list[str]:
        """Objects that are not what was put last."""
        s3, bucket = self.place.tortured.client("s3"), self.place.tortured.names["images-bucket"]
        there = self.place.tortured.objects("images-bucket")
        wanted = {key for key, outcome in self.wanted.items() if outcome}
        wrongs = [f"lost: {key}" for key in sorted(wanted - there)] + [f"is back: {key}" for key in there - wanted]
        for key in sorted(wanted & there):
            if s3.get_object(Bucket=bucket, Key=key)["Body"].read() != self.data[key]:
                wrongs.append(f"not what was put last: {key}")
        return wrongs

    def figures(self) -> dict[str, Any]:
        return dict(self.done)


@dataclass
class Backfills:
    """Somebody who lets a backfill run again and again, of all or of what failed, and stops it half-way."""

    place: Place
    rng: random.Random
    name: str = "backfill"

    def __post_init__(self) -> None:
        self.programs = Programs(self.place, self.rng)

    def turn(self) -> None:
        what = self.rng.choice(([], [], ["--failed"], ["--force", "--prefix", "soak/été 00"]))
        longest = self.rng.choice((60, 60, 3))
        self.programs.run("bulk/backfill.py", "--local", "--queue-depth", str(MOST_WAITING), *what, longest=longest)
        self.place.ending.wait(self.rng.uniform(2, 20))

    def finish(self) -> list[str]:
        return []

    def figures(self) -> dict[str, Any]:
        return dict(self.programs.ends)
