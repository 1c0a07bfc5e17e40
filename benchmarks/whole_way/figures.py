"""The cells as tables and as plots, and what the model of docs/scaling.md takes from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import reports
from benchmarks.costs import per_million
from benchmarks.whole_way.cells import PHASES, Cell
from cli.cost import WAITING_MS

#: Messages are sent, received and deleted by S3 and by Lambda: never by requests of ours. An image a batch.
SQS_AND_LAMBDA = {"SQS": 3.0, "Lambda": 1.0}
_READS = ("GetObject", "HeadObject")

_HEAD = """\
# From upload to gallery, on the local cloud

Written by `python benchmarks/end_to_end.py --write`. So many uploads are on their way at any time; an image has arrived
when the gallery's API shows it, which is asked every 0.1 s. The local cloud runs as many functions as there are cores,
and its Python answers one request at a time: what it takes is told apart. {surroundings}
"""
#: Why there is more than one GET, one HEAD, two PUTs and one write.
_WHY = """\
GetItem is more than the least: the record as it was before the object was read, which tells what is done already and is
the condition of the write ([workers side by side](../../docs/decisions/concurrent-workers.md)); a million of them cost
12 cents. TransactWriteItems counts the totals, for all changes that its function was given at once. Messages are no
calls of the functions: S3 sends each, and on AWS the trigger receives and deletes them by the batch."""


def model(cells: Sequence[Cell], write_units: float) -> dict[str, Any]:
    """What benchmarks/scaling.py reads: CPU of the function for an image of each size, and requests by kind."""
    # At eight at once the work of starting a batch is shared, as it is under load.
    busy = {one.size: one for one in sorted(cells, key=lambda one: -abs(one.parallel - 8))}
    times = {size: {"cpu_ms": one.cpu_ms["processing"], "variation": one.variation} for size, one in busy.items()}
    calls = next(iter(busy.values())).calls
    requests = {
        "S3 writes": 1 + sum(count for call, count in calls.items() if call.startswith("PutObject")),
        "S3 reads": sum(calls.get(call, 0.0) for call in _READS),
        "DynamoDB writes": write_units,
        # A consistent read of an item that is not there yet.
        "DynamoDB reads": calls.get("DynamoDB GetItem", 0.0),
    }
    return {"times": times, "cold_ms": _cold_ms(), "requests": requests}


def _cold_ms() -> float:
    rows = json.loads((reports.FOLDER / "cold_start.json").read_text(encoding="utf-8"))["rows"]
    return float([row["cpu_ms"] for row in rows if row["way"] == "processing"][-1])


def markdown(facts: Mapping[str, Any], cells: Sequence[Cell], modelled: Mapping[str, Any], slower: float) -> str:
    parts = [_HEAD.format(surroundings=reports.told(dict(facts)))]
    parts += [_speeds(cells), _phases(cells), _cpu(cells), _calls(cells), _dollars(modelled, slower)]
    return "\n".join(parts)


def _name(one: Cell) -> str:
    return f"{one.size} × {one.parallel}"


def _speeds(cells: Sequence[Cell]) -> str:
    rows = [
        [_name(one), f"{one.bytes_each:,}", one.images, f"{one.images_per_second:.1f}", one.p50_ms, one.p95_ms]
        for one in cells
    ]
    head = ["image × parallel uploads", "bytes", "images", "images/s", "p50 ms", "p95 ms"]
    return f"## Speed\n\n{reports.table(head, rows)}\n"


def _phases(cells: Sequence[Cell]) -> str:
    rows = [[_name(one), *(one.phases[name] for name in PHASES), one.emulator_ms] for one in cells]
    head = ["", *PHASES, "of all this, the emulator answering"]
    text = (
        "Medians in ms, from the beginning of the upload to the answer that shows the image. `queue` is the emulator's "
        "too: it ends when the function asks for the record."
    )
    return f"## Where the time goes\n\n{text}\n\n{reports.table(head, rows)}\n"


def _cpu(cells: Sequence[Cell]) -> str:
    who = list(cells[0].cpu_ms)
    rows = [[_name(one), *(one.cpu_ms.get(name, 0.0) for name in who)] for one in cells]
    return f"## CPU time of an image (ms)\n\n{reports.table(['', *who], rows)}\n"


def _calls(cells: Sequence[Cell]) -> str:
    names = sorted({name for one in cells for name in one.calls})
    rows = [[_name(one), *(f"{one.calls.get(name, 0.0):.2f}" for name in names)] for one in cells]
    title = "## AWS calls of the functions for an image, counted on the wire"
    return f"{title}\n\n{_WHY}\n\n{reports.table(['', *names], rows)}\n"


def _dollars(modelled: Mapping[str, Any], slower: float) -> str:
    rows = []
    for size, times in modelled["times"].items():
        ms = times["cpu_ms"] * slower + float(WAITING_MS)
        costs = per_million({**modelled["requests"], **SQS_AND_LAMBDA}, ms)
        rows.append([size, f"{ms:.0f}", *(f"{amount:.2f}" for amount in costs.values()), f"{sum(costs.values()):.2f}"])
    text = (
        f"CPU measured here × {slower:g} for a slower processor, and {WAITING_MS} ms of waiting, which is assumed; "
        "list prices of `status.py --cost` without storage; every image a batch of its own, which is the dearest."
    )
    head = ["image", "ms on AWS", *costs, "total"]
    return f"## Dollars for a million on AWS, by these figures\n\n{text}\n\n{reports.table(head, rows)}\n"


def plots(cells: Sequence[Cell]) -> dict[str, reports.Draw]:
    return {"end_to_end": lambda figure: _draw(figure, cells)}


def _draw(figure: Any, cells: Sequence[Cell]) -> None:
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    for size in dict.fromkeys(one.size for one in cells):
        own = [one for one in cells if one.size == size]
        left.plot([one.parallel for one in own], [one.images_per_second for one in own], marker="o", label=size)
    left.set(title="Images a second", xlabel="uploads on their way", ylim=(0, None))
    left.legend(frameon=False)
    places, so_far = range(len(cells)), [0.0] * len(cells)
    for name in PHASES:
        widths = [100 * one.phases[name] / sum(one.phases.values()) for one in cells]
        right.barh(places, widths, left=so_far, label=name)
        so_far = [left + width for left, width in zip(so_far, widths, strict=True)]
    right.set_yticks(places, [_name(one) for one in cells])
    right.invert_yaxis()
    right.set(title="Where the time goes, % of the medians", xlim=(0, 100))
    right.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
