"""Plays days of uploads and backlogs of ten million images on AWS: throughput, delay, cost, and what breaks first."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict

from benchmarks import reports
from cli.exits import Exit, run

EXAMPLES = """\
examples:
  python benchmarks/scaling.py --share 0.01           a hundredth of the images, in seconds
  python benchmarks/scaling.py --write                everything, and keep it in benchmarks/results/
  python benchmarks/scaling.py --times mine.json      with the times of your own benchmarks/end_to_end.py --json
"""
TIMES = reports.FOLDER / "end_to_end.json"


def main() -> int:
    arguments = parser().parse_args()
    # simpy is in the environment of the benchmarks only; the help is there without it.
    from benchmarks.simulation import figures
    from benchmarks.simulation.deployed import measured
    from benchmarks.simulation.plans import plans, play

    facts = reports.surroundings()
    found = measured(arguments.times)
    planned = plans(found, share=arguments.share, slower=arguments.slower, seed=arguments.seed)
    played = []
    with ProcessPoolExecutor() as pool:
        for one in pool.map(play, planned):
            played.append(one)
            how = f"backlog at {one.most}" if one.is_backlog else "day"
            print(f"{one.images:,} of {one.size}, {how}: {one.wall_seconds:.0f} s", file=sys.stderr)
    markdown = figures.markdown(facts, played, slower=arguments.slower)
    document = {
        **facts,
        "seed": arguments.seed,
        "slower": arguments.slower,
        "share": arguments.share,
        "rows": [asdict(one) for one in played],
    }
    print(json.dumps(document) if arguments.json else markdown)
    if arguments.write:
        reports.write("scaling", document, markdown, figures.plots(played))
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Play days of uploads and backlogs on AWS from measured times: delay, cost, and what breaks first.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "--times",
        type=Path,
        default=TIMES,
        metavar="FILE",
        help="what benchmarks/end_to_end.py wrote (default: its own)",
    )
    made.add_argument(
        "--slower",
        type=float,
        default=2.0,
        metavar="X",
        help="how much slower a vCPU is than the one there (default: 2)",
    )
    made.add_argument(
        "--seed", type=int, default=1, metavar="N", help="the same seed gives the same figures (default: 1)"
    )
    made.add_argument("--share", type=float, default=1.0, metavar="X", help="of the images (default: 1, all of them)")
    made.add_argument("--write", action="store_true", help="write JSON, Markdown and a plot to benchmarks/results/")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    return made


if __name__ == "__main__":
    sys.exit(run(main))
