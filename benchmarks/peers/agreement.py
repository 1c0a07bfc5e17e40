"""Whether two runs of image_peers.py found the same: every ratio of one within 5 % of the other's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers.report import base_of
from cli.exits import Exit

TOLERANCE = 0.05


def compare(first: Path, second: Path) -> int:
    """Prints every ratio that differs by more; SOME_FAILED if there is one."""
    one, other = (dict(_ratios(json.loads(path.read_text(encoding="utf-8")))) for path in (first, second))
    both = [name for name in one if name in other]
    apart = {name: other[name] / one[name] - 1 for name in both if abs(other[name] / one[name] - 1) > TOLERANCE}
    for name, difference in sorted(apart.items(), key=lambda item: -abs(item[1])):
        print(f"{' · '.join(name)}: {one[name]:.3f} and {other[name]:.3f} ({difference:+.1%})")
    print(f"{len(both) - len(apart)} of {len(both)} ratios agree within {TOLERANCE:.0%}")
    return Exit.SOME_FAILED if apart or not both else Exit.DONE


def _ratios(document: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Each by its name: times sharp's speed and memory, bytes out over bytes in, and bytes at equal scores."""
    for files, routes in document["speed"].items():
        for route, of in routes.items():
            yield (files, route, "speed"), routes[base_of(routes)]["cpu"] / of["cpu"]
            yield (files, route, "bytes"), of["made"] / of["read"]
    for route, of in document["cores"].items():
        yield ("two cores", route), document["cores"][base_of(document["cores"])]["two"] / of["two"]
    for size, routes in document["memory"].items():
        for route, peak in routes.items():
            yield (f"{size} MP", route, "memory"), routes[base_of(routes)] / peak
    for route, score in document["scores"].items():
        yield ("scores", route), score["core_bytes"]
