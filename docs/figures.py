"""The table of figures in docs/reliability.md, from what the full runs of the torture tests left in docs/results/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BEGIN = "<!-- From docs/results by `make docs`; changes made here by hand are lost. -->"
END = "<!-- end of the figures -->"

#: What the fault proxies do to calls, under the names by which results count them.
_FAULTS = {
    "500",
    "503 SlowDown",
    "answer lost",
    "corrupted",
    "delayed",
    "reset before",
    "throttled",
    "truncated",
    "faults_on_aws",
    "faults_on_http",
}
#: About the run; what else is there was counted.
_ABOUT = {"commit", "finished", "processors", "python", "seconds", "seed", "seeds"}
#: What must be nothing.
_HARM = ("lost", "wrong", "false_conflicts", "orphaned_outputs", "dead_letters")


def with_figures(page: str, results: Path) -> str:
    """`page` with the table between its two marks written anew; ValueError where a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{table(results)}\n{END}{after}"


def table(results: Path) -> str:
    """A line for each test, from the newest run that counted it."""
    newest: dict[str, dict[str, Any]] = {}
    for path in sorted(results.glob("torture-*.json")):
        newest |= json.loads(path.read_text(encoding="utf-8"))
    head = "| test | counted | harm | seed | day | commit |\n| --- | --- | --- | --- | --- | --- |\n"
    return head + "".join(_line(test, newest[test]) for test in sorted(newest))


def _line(test: str, run: dict[str, Any]) -> str:
    name, bracket, case = test.partition("[")
    counted = _counted(run)
    harm = [f"{key.replace('_', ' ')} {counted.pop(key)}" for key in _HARM if key in counted]
    cells = (
        f"`tests/torture/{name}`{f' ({case[:-1]})' if bracket else ''}",
        ", ".join(f"{key.replace('_', ' ')} {_said(value)}" for key, value in counted.items()),
        ", ".join(harm) or "–",
        run.get("seed", run.get("seeds", "–")),
        run["finished"][:10],
        re.sub(r"^(\w{7})\w*", r"\1", run["commit"]),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def _counted(run: dict[str, Any]) -> dict[str, Any]:
    """The figures in their order, all kinds of faults as one number."""
    counted: dict[str, Any] = {}
    for key, value in _flat({key: value for key, value in run.items() if key not in _ABOUT}):
        counted[key] = counted.get(key, 0) + value if isinstance(value, int) else value
    return counted


def _flat(figures: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in figures.items():
        if key == "faults":
            yield from _flat(value)
        elif isinstance(value, dict):
            yield key, f"({', '.join(f'{name} {_said(number)}' for name, number in value.items())})"
        else:
            yield ("faults" if key in _FAULTS else key), value


def _said(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)
