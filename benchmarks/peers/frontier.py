"""What encoders took, and which of them no other one beats at bytes and at time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from benchmarks import reports
from benchmarks.peers.ways import Way

#: Bytes and times that are closer than this are the same.
_SAME, _SAME_TIME = 1.01, 1.05


@dataclass(frozen=True)
class Result:
    """Means over crops. `bytes`: over those of the reference at its score; `seconds`: CPU of a megapixel."""

    name: str
    format: str
    preset: str | None
    bytes: float
    seconds: float
    crops: int

    @classmethod
    def of(cls, name: str, way: Way, ratios: Sequence[float], seconds: Sequence[float]) -> Self:
        known = [ratio for ratio in ratios if not math.isnan(ratio)]
        mean = statistics.geometric_mean(known) if known else math.nan
        return cls(name, way.format, way.preset, mean, statistics.fmean(seconds), len(known))


def on_frontier(one: Result, among: Sequence[Result]) -> bool:
    """Whether no other way of writing the same format is better at bytes or time, and no worse at the other."""
    if math.isnan(one.bytes):
        return False
    others = [other for other in among if other.format == one.format and other is not one]
    return not any(_beats(other, one) for other in others)


def _beats(other: Result, one: Result) -> bool:
    clearly = other.bytes * _SAME < one.bytes or other.seconds * _SAME_TIME < one.seconds
    return clearly and other.bytes < one.bytes * _SAME and other.seconds < one.seconds * _SAME_TIME


def document(found: Sequence[Result], facts: Mapping[str, Any]) -> dict[str, Any]:
    """`facts`: `reports.surroundings()` of before the first measurement, and how often each was made."""
    encoders = [{**asdict(one), "frontier": on_frontier(one, found)} for one in found]
    return {**facts, "encoders": encoders}


def markdown(found: Sequence[Result], facts: Mapping[str, Any]) -> str:
    parts = [_HEAD.format(told=reports.told(facts))]
    for form in dict.fromkeys(one.format for one in found):
        of_form = sorted((one for one in found if one.format == form), key=lambda one: one.seconds)
        parts.append(f"## {form}\n\n{reports.table(_COLUMNS, [_row(one, found) for one in of_form])}")
    return "\n\n".join(parts) + "\n"


_HEAD = """\
# Encoders: bytes at equal SSIMULACRA2, and CPU time

Written by `python benchmarks/encoders.py --write`. Crops of photographs as a camera's JPEG (quality 92); bytes are over
those of Pillow's JPEG (quality 80, optimized) at the score that it reaches; time is of encoding alone, on one core. On
the frontier: no other way of writing that format has fewer bytes and takes no longer, or the reverse. {told}"""
_COLUMNS = ["encoder", "bytes", "CPU ms / MP", "on the frontier", "crops"]


def _row(one: Result, found: Sequence[Result]) -> list[str]:
    name = f"**{one.name}**" if one.preset else one.name
    return [name, f"{one.bytes:.3f}", f"{one.seconds * 1000:.1f}", "yes" * on_frontier(one, found), str(one.crops)]


def write(found: Sequence[Result], facts: Mapping[str, Any]) -> None:
    reports.write(
        "encoders", document(found, facts), markdown(found, facts), {"encoders": lambda figure: _draw(figure, found)}
    )


def _draw(figure: Any, found: Sequence[Result]) -> None:
    axes = figure.subplots()
    for form in dict.fromkeys(one.format for one in found):
        of_form = [one for one in found if one.format == form]
        axes.scatter([one.seconds * 1000 for one in of_form], [one.bytes for one in of_form], label=form)
        best = sorted((one for one in of_form if on_frontier(one, found)), key=lambda one: one.seconds)
        axes.plot([one.seconds * 1000 for one in best], [one.bytes for one in best], linewidth=0.8)
    for one in found:
        weight = "bold" if one.preset else "normal"
        axes.annotate(
            one.name,
            (one.seconds * 1000, one.bytes),
            fontsize=6,
            weight=weight,
            xytext=(3, 3),
            textcoords="offset points",
        )
    axes.set(xscale="log", xlabel="CPU ms a megapixel", ylabel="bytes at equal SSIMULACRA2 (Pillow optimize = 1)")
    axes.legend(frameon=False)
