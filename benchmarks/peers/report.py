"""What was found, as JSON, as tables and as plots."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from benchmarks import reports

BASE = "sharp"
OURS = "ours"


def base_of(routes: Iterable[str]) -> str:
    """sharp with its defaults, or the first where it cannot run."""
    known = list(routes)
    return BASE if BASE in known else known[0]


@dataclass(frozen=True)
class Speed:
    """Sums over the files of one case: CPU seconds (medians of `rounds`), bytes made, bytes read."""

    cpu: float
    made: int
    read: int
    rounds: int = 0


@dataclass(frozen=True)
class Shared:
    """Wall seconds for every file twice: one after the other on one core, and at once on two."""

    one: float
    two: float


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


@dataclass
class Found:
    """All figures of one run, as they come. `memory`: MB by megapixels and route; the others by files and route."""

    versions: dict[str, str]
    speed: dict[str, dict[str, Speed]] = field(default_factory=dict)
    cores: dict[str, Shared] = field(default_factory=dict)
    memory: dict[int, dict[str, float]] = field(default_factory=dict)
    scores: dict[str, Score] = field(default_factory=dict)
    surroundings: dict[str, Any] = field(default_factory=reports.surroundings)

    def document(self) -> dict[str, Any]:
        told = asdict(self)
        facts = told.pop("surroundings")
        return {**facts, **told, "versions": {**facts["versions"], **told["versions"]}}

    def markdown(self) -> str:
        parts = [_HEAD.format(told=reports.told(self.document()))]
        parts += [_speeds(self.speed)] if self.speed else []
        parts += [_cores(self.cores)] if self.cores else []
        parts += [_memories(self.memory)] if self.memory else []
        parts += [_scores(self.scores)] if self.scores else []
        parts += [_ahead(self)] if self.speed else []
        return "\n\n".join(parts) + "\n"

    def write(self) -> None:
        plots = {"image_peers": lambda figure: _draw(figure, self)}
        reports.write("image_peers", self.document(), self.markdown(), plots)


_HEAD = """\
# The image core beside others

Written by `python benchmarks/image_peers.py --write`. One job: a thumbnail within 256×256 (WebP, quality 80) and the
whole picture again (quality 80), upright, without private metadata; ours also makes the placeholder, a SHA-256 and the
capture facts. One pinned core; the routes take turns at every file; CPU time over all threads. Ratios compare within
this run and mean little elsewhere: of each file, the median of its times over those of sharp in the same round.
{told}"""


def _speeds(speed: Mapping[str, Mapping[str, Speed]]) -> str:
    routes = _routes(speed)
    rows = [[name, *(_speed(of, route) for route in routes)] for name, of in speed.items()]
    jpegs = [of for name, of in speed.items() if name.startswith("JPEG")]
    rows += [["every kind of JPEG: the geometric mean", *(_means(jpegs, route) for route in routes)]] if jpegs else []
    title = f"## Speed (times {base_of(routes)}'s defaults; more is faster) · bytes out / in"
    return f"{title}\n\n{reports.table(['files', *routes], rows)}"


def _routes(speed: Mapping[str, Mapping[str, Speed]]) -> list[str]:
    return max((list(of) for of in speed.values()), key=len, default=[])


def _speed(of: Mapping[str, Speed], route: str) -> str:
    if route not in of:
        return "as sharp"
    return f"{of[base_of(of)].cpu / of[route].cpu:.2f} · {of[route].made / of[route].read:.3f}"


def _means(kinds: Sequence[Mapping[str, Speed]], route: str) -> str:
    """As `_speed` has it, of several kinds of files, each of which counts as much as the others."""
    faster = statistics.geometric_mean(of[base_of(of)].cpu / of[route].cpu for of in kinds)
    left = statistics.geometric_mean(of[route].made / of[route].read for of in kinds)
    return f"{faster:.2f} · {left:.3f}"


def _cores(cores: Mapping[str, Shared]) -> str:
    name = base_of(cores)
    base = cores[name]
    rows = [
        [route, f"{base.one / of.one:.2f}", f"{base.two / of.two:.2f}", f"{of.one / of.two:.2f}"]
        for route, of in cores.items()
    ]
    head = ["route", f"one core, times {name}", f"two cores, times {name}", "two cores over one"]
    title = "## One core and two, JPEG baseline 4:2:0: seconds by the clock, each picture twice"
    return f"{title}\n\n{reports.table(head, rows)}"


def _memories(memory: Mapping[int, Mapping[str, float]]) -> str:
    routes = list(next(iter(memory.values())))
    rows = [[f"{size} MP", *(f"{of[route]:.0f}" for route in routes)] for size, of in memory.items()]
    return f"## Peak memory of one process that makes one JPEG (MB)\n\n{reports.table(['size', *routes], rows)}"


def _scores(scores: Mapping[str, Score]) -> str:
    rows = [[route, f"{of.ssimulacra2:.1f}", f"{of.core_bytes:.3f}", str(of.crops)] for route, of in scores.items()]
    head = ["route", "SSIMULACRA2 at its setting", "the core's bytes for that score / its bytes", "crops"]
    return f"## Quality of JPEGs (more is better), and bytes at equal quality\n\n{reports.table(head, rows)}"


#: Where a peer is ahead: why, and what would be done next. By kind of files and route.
REASONS = {
    (
        "JPEG baseline 4:2:0 on its side",
        "OpenCV",
    ): "Pillow turns pixels one by one, 3.9 of 13.7 ns each; by columns the whole takes as long; next: a turn by SIMD",
    (
        "PNG photo",
        "OpenCV",
    ): "zlib level 1 and one filter, for 15 to 25 % more bytes; preset `fast` (oxipng 0) is the answer",
    (
        "PNG graphic",
        "OpenCV",
    ): "zlib level 1 and one filter, for many more bytes; preset `fast` (oxipng 0) is the answer",
    ("PNG photo", "sharp"): "zlib level 6 without a trial of filters, for more bytes; preset `fast` is the answer",
    ("PNG graphic", "sharp"): "zlib level 6 without a trial of filters, for more bytes; preset `fast` is the answer",
    (
        "PNG graphic",
        "sharp tuned",
    ): "filters are tried, no palette, for half more bytes; preset `fast` is the answer",
    ("PNG photo", "sharp tuned"): "zlib level 9 with filters by a rule of thumb; oxipng tries more, for 1 % less",
    ("PNG photo", "ImageMagick"): "zlib level 7 with filters by a rule of thumb, for 3 % more bytes",
    ("PNG graphic", "ImageMagick"): "zlib level 7, no palette, for over half more bytes; preset `fast` is the answer",
    ("PNG photo", "pyvips"): "as sharp: one filter for the whole picture; preset `fast` is the answer",
    ("PNG graphic", "pyvips"): "as sharp: one filter for the whole picture; preset `fast` is the answer",
    (
        "WebP",
        "OpenCV",
    ): "probably Pillow's decoder, that of animations, which copies a still more; next: a plain decode",
    (
        "GIF",
        "naive Pillow",
    ): "it takes every n-th pixel for the thumbnail; ours reads what it wrote again and compares; next: fewer copies",
    ("GIF", "OpenCV"): "probably because it compares nothing, as ours does with every pixel; its files are larger",
}
_UNEXPLAINED = "not looked into yet"
_CLEARLY = 1.1


def _ahead(found: Found) -> str:
    """Every peer that is faster by more than 10 %, and at how many bytes."""
    rows = []
    for name, of in found.speed.items():
        for route, peer in of.items():
            faster, bytes_more = of[OURS].cpu / peer.cpu, peer.made / of[OURS].made
            if faster > _CLEARLY:
                why = REASONS.get((name, route), _UNEXPLAINED)
                rows.append([name, route, f"{faster:.2f}", f"{bytes_more:.2f}", why])
    if not rows:
        return "## Where a peer is faster by more than 10 %\n\nNowhere."
    head = ["files", "route", "faster", "its bytes over ours", "why, and what is next"]
    return f"## Where a peer is faster by more than 10 %\n\n{reports.table(head, rows)}"


def _draw(figure: Any, found: Found) -> None:
    """Speed by kind of file, and memory by size."""
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _bars(left, found.speed)
    for route in next(iter(found.memory.values()), {}):
        sizes = list(found.memory)
        own = {"linewidth": 3} if route == OURS else {"linewidth": 1}
        right.plot(sizes, [found.memory[size][route] for size in sizes], marker="o", label=route, **own)
    right.set(title="Peak memory of one JPEG", xlabel="megapixels", ylabel="MB", ylim=(0, None))
    if found.memory:
        right.legend(frameon=False)


def _bars(axes: Any, speed: Mapping[str, Mapping[str, Speed]]) -> None:
    routes = _routes(speed)
    height = 0.8 / max(1, len(routes))
    for number, route in enumerate(routes):
        places = [row + number * height for row in range(len(speed))]
        values = [of[base_of(of)].cpu / of[route].cpu if route in of else 0.0 for of in speed.values()]
        axes.barh(places, values, height, label=route, edgecolor="black" if route == OURS else "none")
    axes.set_yticks([row + 0.4 for row in range(len(speed))], list(speed))
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set(title=f"Speed, times {base_of(routes or [BASE])}'s defaults", xlabel="more is faster")
    axes.legend(frameon=False)
