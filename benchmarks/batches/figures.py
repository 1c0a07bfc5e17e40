"""Batches by threads and cores, as tables and as plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import reports
from benchmarks.batches.measure import THREADS, Row

_HEAD = """\
# Threads in one function

Written by `python benchmarks/threads.py --write`: batches of JPEGs with one to four threads, pinned to one core or to
two; how many times faster than with one thread on as many cores, and how many cores that used. Without waiting only the
processor counts; with 25 ms for each call an image waits 150 ms, as is assumed of AWS. *2 processes* share no
interpreter: what they miss of 2.00, the machine lacks; what threads miss of them, the interpreter's lock takes.
{surroundings}
"""


def markdown(facts: dict[str, Any], found: Sequence[Row]) -> str:
    parts = [_HEAD.format(surroundings=reports.told(facts))]
    for wait_ms in dict.fromkeys(one.wait_ms for one in found):
        title = f"{wait_ms} ms for each call" if wait_ms else "Without waiting"
        parts.append(f"## {title}\n\n{_table([one for one in found if one.wait_ms == wait_ms])}\n")
    return "\n".join(parts)


def _table(found: Sequence[Row]) -> str:
    head = [
        "images, cores",
        "images/s with 1 thread",
        *(f"{threads} threads" for threads in THREADS[1:]),
        "2 processes",
    ]
    rows = []
    for size, cores in dict.fromkeys((one.size, one.cores) for one in found):
        own = {(one.threads, one.processes): one for one in found if (one.size, one.cores) == (size, cores)}
        cells = [_cell(own.get((threads, 1))) for threads in THREADS[1:]] + [_cell(own.get((1, 2)))]
        rows.append([f"{size}, {cores}", f"{own[1, 1].images_per_second:.1f}", *cells])
    return reports.table(head, rows)


def _cell(row: Row | None) -> str:
    return f"{row.faster:.2f} × ({row.busy:.2f})" if row else ""


def plots(found: Sequence[Row]) -> dict[str, reports.Draw]:
    return {"threads": lambda figure: _draw(figure, found)}


def _draw(figure: Any, found: Sequence[Row]) -> None:
    waits = list(dict.fromkeys(one.wait_ms for one in found))
    for axes, wait_ms in zip(figure.subplots(1, len(waits), squeeze=False)[0], waits, strict=True):
        for size, cores in dict.fromkeys((one.size, one.cores) for one in found):
            own = [
                one for one in found if (one.size, one.cores, one.wait_ms, one.processes) == (size, cores, wait_ms, 1)
            ]
            style = "-" if cores == 2 else ":"
            label = f"{size}, {cores} core{'s' * (cores > 1)}"
            axes.plot([one.threads for one in own], [one.faster for one in own], style, marker="o", label=label)
        axes.set(title=f"{wait_ms} ms for each call" if wait_ms else "Without waiting", xlabel="threads")
        axes.set(ylabel="times faster than one thread", xticks=THREADS, ylim=(0, None))
        axes.legend(frameon=False)
