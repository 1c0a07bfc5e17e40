"""What was played, as tables and as plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import reports
from benchmarks.simulation.deployed import PARTS
from benchmarks.simulation.plans import Played
from setup_scripts.add_sqs_trigger import MOST_CONCURRENCY

_HEAD = """\
# A deployment under load, played

Written by `python benchmarks/scaling.py --write`: a model, no measurement of AWS. Times of the function are those of
[end_to_end.md](end_to_end.md), times {slower:g} for a slower processor, with 150 ms of waiting for each image. What the
model holds and leaves out: [docs/scaling.md](../../docs/scaling.md). {surroundings}
"""


def markdown(facts: dict[str, Any], played: Sequence[Played], *, slower: float) -> str:
    days = [one for one in played if not one.is_backlog]
    backlogs = [one for one in played if one.is_backlog]
    parts = [_HEAD.format(surroundings=reports.told(facts), slower=slower), _days(days), _backlogs(backlogs), _parts()]
    return "\n".join(parts)


def _days(days: Sequence[Played]) -> str:
    head = ["images of a day", "p50 s", "p95 s", "p99 s", "batches at once", "images a batch", "$ a million"]
    rows = [
        [
            f"{one.images:,} of {one.size}",
            f"{one.p50:.2f}",
            f"{one.p95:.2f}",
            f"{one.p99:.2f}",
            one.most_running,
            one.images_per_batch,
            f"{one.dollars_per_million:.2f}",
        ]
        for one in sorted(days, key=lambda one: (one.size != "48 kB", one.size, one.images))
    ]
    title = f"## Days: most at noon, MaximumConcurrency {MOST_CONCURRENCY}"
    return f"{title}\n\n{reports.table(head, rows)}\n"


def _backlogs(backlogs: Sequence[Played]) -> str:
    head = ["backlog", "MaximumConcurrency", "images a second", "hours", "$ a million", "breaks first"]
    rows = [
        [
            f"{one.images:,} of {one.size}",
            one.most,
            f"{one.images_per_second:,.0f}",
            f"{one.hours:.1f}",
            f"{one.dollars_per_million:.2f}",
            one.breaks_first,
        ]
        for one in backlogs
    ]
    return f"## Backlogs, all there at the start\n\n{reports.table(head, rows)}\n"


def _parts() -> str:
    rows = [[part.name, f"{part.per_second:,.0f}", part.per_image, f"{part.images_per_second:,.0f}"] for part in PARTS]
    head = ["part", "units a second, at first", "units an image", "images a second"]
    return f"## What AWS takes at first\n\n{reports.table(head, rows)}\n"


def plots(played: Sequence[Played]) -> dict[str, reports.Draw]:
    return {"scaling": lambda figure: _draw(figure, played)}


def _draw(figure: Any, played: Sequence[Played]) -> None:
    left, middle, right = figure.subplots(1, 3)
    sizes = list(dict.fromkeys(one.size for one in played))
    for size in sizes:
        own = [one for one in played if one.size == size]
        backlogs = sorted((one for one in own if one.is_backlog), key=lambda one: one.most)
        left.plot([one.most for one in backlogs], [one.images_per_second for one in backlogs], marker="o", label=size)
        default = next(one for one in backlogs if one.most == MOST_CONCURRENCY)
        middle.plot([at / 3600 for at, *_ in default.timeline], [waiting / 1e6 for _, waiting, *_ in default.timeline])
        days = sorted((one for one in own if not one.is_backlog), key=lambda one: one.images)
        [line] = right.plot([one.images for one in days], [one.p99 for one in days], marker="o", label=size)
        right.plot([one.images for one in days], [one.p50 for one in days], marker=".", ls=":", color=line.get_color())
    ceiling = min(PARTS, key=lambda part: part.images_per_second)
    left.axhline(ceiling.images_per_second, color="black", linewidth=0.8, linestyle="--", label=ceiling.name)
    left.set(title="Throughput of a backlog", xlabel="MaximumConcurrency", ylabel="images a second", xscale="log")
    left.set(yscale="log")
    middle.set(title=f"A backlog, MaximumConcurrency {MOST_CONCURRENCY}", xlabel="hours", ylabel="million waiting")
    right.set(
        title="Delay, p99 and (dotted) p50", xlabel="images a day", ylabel="seconds", xscale="log", ylim=(0, None)
    )
    left.legend(frameon=False)
    right.legend(frameon=False)
