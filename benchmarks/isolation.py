"""Measures what a child for each image costs: time, CPU and memory, beside the same image in this process."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.image_core import CASES, Case, picture
from cli.exits import Exit, run
from pipeline.images.isolate import transform_isolated
from pipeline.images.options import ImageOptions
from pipeline.images.transform import Transformed, transform

EXAMPLES = """\
examples:
  python benchmarks/isolation.py
  python benchmarks/isolation.py --case 24-mp-jpeg --repeat 9 --json
"""
SMALL = "200-px-jpeg"
ROUTES: dict[str, Callable[[bytes], Transformed]] = {"here": transform, "child": transform_isolated}


@dataclass(frozen=True)
class Measured:
    """Medians of one case: milliseconds by the clock and of CPU, here and in a child, and what the child adds.

    `child_mb`: the most memory that the child has held, all of Python and its libraries included.
    """

    case: str
    here_ms: float
    child_ms: float
    added_ms: float
    here_cpu_ms: float
    child_cpu_ms: float
    added_cpu_ms: float
    child_mb: float


def main() -> int:
    arguments = parser().parse_args()
    rows = [measured(name, arguments.repeat) for name in arguments.case or [SMALL, *CASES]]
    print(json.dumps([asdict(row) for row in rows], indent=2) if arguments.json else table(rows))
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Measure what decoding in a child costs, beside decoding in the same process.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--case", action="append", choices=[SMALL, *CASES], help="only this case; may be repeated")
    made.add_argument("--repeat", type=int, default=5, metavar="N", help="runs of each case and route (default: 5)")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    return made


def measured(name: str, repeat: int) -> Measured:
    data = picture(CASES.get(name, Case("JPEG", (200, 150))))
    transform(data)
    runs: dict[str, list[tuple[float, float]]] = {route: [] for route in ROUTES}
    for _ in range(max(1, repeat)):
        # The routes take turns, so that what else the machine does meets them alike.
        for route, work in ROUTES.items():
            runs[route].append(timed(work, data))
    print(f"{name} measured", file=sys.stderr)
    (here, here_cpu), (child, child_cpu) = (
        [round(statistics.median(values) * 1000, 1) for values in zip(*runs[route], strict=True)] for route in ROUTES
    )
    told = transform_isolated(data, work="benchmarks.isolation:weighed").facts.camera_model
    peak = round(int(told or 0) * 1024 / 1e6, 1)
    added, added_cpu = round(child - here, 1), round(child_cpu - here_cpu, 1)
    return Measured(name, here, child, added, here_cpu, child_cpu, added_cpu, peak)


def weighed(data: bytes, options: ImageOptions, **more: Any) -> Transformed:
    """Work for a child: tells the most memory that it held, in kB, as the name of the camera."""
    made = transform(data, options, **more)
    # ru_maxrss of a child begins with that of its parent; VmHWM begins with the program.
    [held] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return replace(made, facts=replace(made.facts, camera_model=held))


def timed(work: Callable[[bytes], Transformed], data: bytes) -> tuple[float, float]:
    """Seconds by the clock, and of CPU in this process and its children."""
    clock, cpu = time.perf_counter(), _cpu()
    work(data)
    return time.perf_counter() - clock, _cpu() - cpu


def _cpu() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def table(rows: list[Measured]) -> str:
    head = f"{'case':<24} {'here ms':>9} {'child ms':>9} {'more':>7} {'CPU ms':>9} {'child':>9} {'more':>7} {'MB':>7}"
    lines = [
        f"{row.case:<24} {row.here_ms:>9.1f} {row.child_ms:>9.1f} {row.added_ms:>7.1f} {row.here_cpu_ms:>9.1f}"
        f" {row.child_cpu_ms:>9.1f} {row.added_cpu_ms:>7.1f} {row.child_mb:>7.1f}"
        for row in rows
    ]
    return "\n".join([head, *lines])


if __name__ == "__main__":
    sys.exit(run(main))
