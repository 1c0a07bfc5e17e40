"""What was found, as JSON, as tables and as plots."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pipeline.version import VERSION

FOLDER = Path(__file__).resolve().parents[1] / "results"
BASE = "sharp"
OURS = "ours"


@dataclass(frozen=True)
class Speed:
    """Sums over the files of one case: CPU seconds (medians of the repetitions), bytes made, bytes read."""

    cpu: float
    made: int
    read: int


@dataclass(frozen=True)
class Score:
    """Means over the crops: SSIMULACRA2 of what a route made, and the core's bytes for that score over the route's."""

    ssimulacra2: float
    core_bytes: float
    crops: int

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> Self:
        known = [ratio for _, ratio in pairs if not math.isnan(ratio)]
        ratio = statistics.geometric_mean(known) if known else math.nan
        return cls(statistics.fmean(score for score, _ in pairs), ratio, len(known))


@dataclass(frozen=True)
class Found:
    """All figures of one run. `memory`: MB by megapixels and route."""

    speed: Mapping[str, Mapping[str, Speed]]
    memory: Mapping[int, Mapping[str, float]]
    scores: Mapping[str, Score]
    versions: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        return {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform()},
            "versions": {"python": platform.python_version(), "image-pipeline": VERSION, **self.versions},
            **{name: value for name, value in asdict(self).items() if name != "versions"},
        }

    def markdown(self) -> str:
        parts = [_HEAD.format(**self.document()["machine"], versions=_listed(self.versions))]
        parts += [_speeds(self.speed)] if self.speed else []
        parts += [_memories(self.memory)] if self.memory else []
        parts += [_scores(self.scores)] if self.scores else []
        return "\n\n".join(parts) + "\n"

    def write(self) -> None:
        FOLDER.mkdir(exist_ok=True)
        text = json.dumps(self.document(), indent=2)
        (FOLDER / "image_peers.json").write_text(text + "\n", encoding="utf-8")
        (FOLDER / "image_peers.md").write_text(self.markdown(), encoding="utf-8")
        _plot(self, FOLDER / "image_peers.svg")


_HEAD = """\
# The image core beside others

Written by `python benchmarks/image_peers.py --write`. One job: a thumbnail within 256×256 (WebP, quality 80) and the
whole picture again (quality 80), upright, without private metadata. One pinned core of {cores} ({processor}); the
routes take turns at every file; CPU time over all threads. Ratios compare within this run and mean little elsewhere.
{versions}."""


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _speeds(speed: Mapping[str, Mapping[str, Speed]]) -> str:
    routes = list(next(iter(speed.values())))
    rows = [
        [name, *(f"{of[BASE].cpu / of[route].cpu:.2f} · {of[route].made / of[route].read:.3f}" for route in routes)]
        for name, of in speed.items()
    ]
    title = f"## Speed (times {BASE}'s defaults; more is faster) · bytes out / in"
    return f"{title}\n\n{_table(['files', *routes], rows)}"


def _memories(memory: Mapping[int, Mapping[str, float]]) -> str:
    routes = list(next(iter(memory.values())))
    rows = [[f"{size} MP", *(f"{of[route]:.0f}" for route in routes)] for size, of in memory.items()]
    return f"## Peak memory of one process that makes one JPEG (MB)\n\n{_table(['size', *routes], rows)}"


def _scores(scores: Mapping[str, Score]) -> str:
    rows = [[route, f"{of.ssimulacra2:.1f}", f"{of.core_bytes:.3f}", str(of.crops)] for route, of in scores.items()]
    head = ["route", "SSIMULACRA2 at its setting", "the core's bytes for that score / its bytes", "crops"]
    return f"## Quality of JPEGs (more is better), and bytes at equal quality\n\n{_table(head, rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _plot(found: Found, path: Path) -> None:
    """Speed by kind of file, and memory by size."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    # The same figures give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "image-pipeline"
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 5.5), width_ratios=(3, 2))
    _bars(left, found.speed)
    for route in next(iter(found.memory.values()), {}):
        sizes = list(found.memory)
        own = {"linewidth": 3} if route == OURS else {"linewidth": 1}
        right.plot(sizes, [found.memory[size][route] for size in sizes], marker="o", label=route, **own)
    right.set(title="Peak memory of one JPEG", xlabel="megapixels", ylabel="MB", ylim=(0, None))
    right.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _bars(axes: Any, speed: Mapping[str, Mapping[str, Speed]]) -> None:
    routes = list(next(iter(speed.values()), {}))
    height = 0.8 / max(1, len(routes))
    for number, route in enumerate(routes):
        places = [row + number * height for row in range(len(speed))]
        values = [of[BASE].cpu / of[route].cpu for of in speed.values()]
        axes.barh(places, values, height, label=route, edgecolor="black" if route == OURS else "none")
    axes.set_yticks([row + 0.4 for row in range(len(speed))], list(speed))
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set(title=f"Speed, times {BASE}'s defaults", xlabel="more is faster")
    axes.legend(frameon=False)
