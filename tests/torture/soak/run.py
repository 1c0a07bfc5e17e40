"""All flows together under all trouble for some time, then the look at what is left of them."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.torture.function_processes import function_processes
from tests.torture.soak.bulk_flows import CsvRuns, Drains
from tests.torture.soak.drawing import draw
from tests.torture.soak.flows import Backfills, Flow, Flows, Uploads
from tests.torture.soak.place import SHARE, Place, prepared
from tests.torture.soak.samples import Sampler, grown, processes_of
from tests.torture.soak.trouble import STOPS, Trouble
from tests.torture.soak.url_flow import UrlMessages
from tests.waiting import eventually

#: As on AWS no function lives longer than its message is hidden: who dies later has nobody to make good what it leaves.
FULL, SLICE = {"visibility": 41, "function_timeout": 40}, {"visibility": 8, "function_timeout": 6}


@dataclass(frozen=True)
class Soaked:
    """What came of it: `wrongs` is empty when nothing was lost, nothing is left over and nothing grew."""

    wrongs: list[str]
    figures: dict[str, Any]
    plot: str


def soak(folder: Path, seconds: float, *, seed: int, kills_cloud: bool = False, is_slice: bool = False) -> Soaked:
    """`folder` is an empty one that takes all that is made."""
    rng, times = random.Random(seed), SLICE if is_slice else FULL
    with (
        prepared(folder, seed, **times) as place,
        closing(UrlMessages(place, random.Random(rng.random()), times["visibility"])) as urls,
    ):
        flows = Flows(_flows(place, rng, urls, kills_cloud), place.ending)
        pause = 5 if is_slice else STOPS
        trouble = Trouble(place, random.Random(rng.random()), urls, kills_cloud, pause, urls.kills)
        sampler = Sampler(place, urls, pause=1 if is_slice else 3)
        began = time.monotonic()
        for part in (sampler, flows, trouble):
            part.start()
        place.ending.wait(seconds)
        place.ending.set()
        trouble.join()
        sampler.stop()
        flows.finish()
        wrongs = [*trouble.wrongs, *sampler.wrongs, *flows.wrongs, *grown(sampler.series), *_left_behind(place, urls)]
        return Soaked(
            wrongs,
            _figures(seconds, seed, place, flows, trouble, sampler) | {"wrong": len(wrongs)},
            draw(sampler.series, [at - began for at in trouble.stops], _title(seconds, kills_cloud)),
        )


def _flows(place: Place, rng: random.Random, urls: UrlMessages, kills_cloud: bool) -> list[Flow]:
    seeds = [random.Random(rng.random()) for _ in range(4)]
    return [
        Uploads(place, seeds[0], loses_records=kills_cloud),
        Backfills(place, seeds[1]),
        urls,
        CsvRuns(place, seeds[2]),
        Drains(place, seeds[3]),
    ]


def _left_behind(place: Place, urls: UrlMessages) -> list[str]:
    """Files and processes that should be gone when all flows have ended."""
    eventually(lambda: len(processes_of(place.folder)) <= 1 + len(function_processes(place.cloud)), timeout=60)
    files = [path for folder in (urls.temporary, place.disk.folder) for path in folder.rglob("*") if path.is_file()]
    # By the program that worked there: one that ended too early leaves hundreds.
    counts = Counter("/".join(path.relative_to(place.folder).parts[:2]) for path in files)
    return [f"left behind: {count} files in {folder}" for folder, count in sorted(counts.items())]


def _figures(
    seconds: float, seed: int, place: Place, flows: Flows, trouble: Trouble, sampler: Sampler
) -> dict[str, Any]:
    return {
        "seed": seed,
        "minutes": round(seconds / 60, 1),
        "share_of_calls_that_fail": SHARE,
        "faults": {name: count for name, count in sorted(place.faults.items())},
        "trouble": trouble.figures(),
        "seconds_to_finish": flows.seconds,
        "flows": {flow.name: flow.figures() for flow in flows.flows},
        "after_warm_up": {
            f"{kind}, {name}": {"middle": round(series.middle(), 1), "growth": round(series.growth(), 1)}
            for (kind, name), series in sampler.series.items()
        },
    }


def _title(seconds: float, kills_cloud: bool) -> str:
    ended = "killed" if kills_cloud else "stopped"
    return f"All flows together for {seconds / 60:.1f} minutes; grey: the local cloud was {ended} and started again"
