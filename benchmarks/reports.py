"""What a benchmark leaves in benchmarks/results/: JSON, Markdown and plots of one run, and what it was found with."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.version import VERSION

FOLDER = Path(__file__).resolve().parent / "results"
#: Of libraries whose version may change what is measured.
LIBRARIES = ("pillow", "pyoxipng", "boto3", "ministack", "simpy")

#: Draws on a figure of matplotlib's, which is given to it.
Draw = Callable[[Any], None]


def surroundings() -> dict[str, Any]:
    """When and on what a run takes place; `load`: the system's load average before it, 0 where nothing else ran."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        },
        "versions": {"python": platform.python_version(), "image-pipeline": VERSION, **_libraries()},
    }


def told(facts: Mapping[str, Any]) -> str:
    """The surroundings in a sentence, for Markdown."""
    machine = facts["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{facts['date']} UTC, {machine['cores']} cores of {machine['processor']}, load average {machine['load']} at "
        f"the start. {versions}."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown: the first column to the left, the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def write(name: str, document: dict[str, Any], markdown: str, plots: dict[str, Draw]) -> None:
    """`name`.json and `name`.md, and for each plot NAME.svg. Without matplotlib the plots stay as they are."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (FOLDER / f"{name}.md").write_text(markdown, encoding="utf-8")
    if importlib.util.find_spec("matplotlib") is None:
        hint = "python -m pip install -r benchmarks/requirements-peers.txt"
        return print(f"plots are left out: matplotlib is not installed ({hint})", file=sys.stderr)
    for plot, draw in plots.items():
        _plot(FOLDER / f"{plot}.svg", draw)


def _plot(path: Path, draw: Draw) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    # The same figures give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "image-pipeline"
    figure = pyplot.figure(figsize=(13, 5))
    draw(figure)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    # matplotlib leaves blanks at the ends of lines.
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
