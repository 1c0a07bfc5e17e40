"""Measures the whole way on the local cloud: images a second, delay from upload to gallery, calls and CPU of each."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
from dataclasses import asdict

from benchmarks import reports
from benchmarks.whole_way import figures
from benchmarks.whole_way.deployment import deployed
from benchmarks.whole_way.pictures import SIZES, pictures
from cli.exits import Exit, run

EXAMPLES = """\
examples:
  python benchmarks/end_to_end.py --seconds 5 --size "48 kB"     a quick look
  python benchmarks/end_to_end.py --write                         everything, and keep it in benchmarks/results/
"""
PARALLEL = (1, 8, 32)
#: Of each size, so that no two images on their way are often the same.
DIFFERENT = 4
#: Before the first cell, so that the functions' processes are up and their modules loaded.
WARM_UP = 3.0


def main() -> int:
    arguments = parser().parse_args()
    facts = reports.surroundings()
    cells = []
    with deployed() as deployment:
        deployment.measure("48 kB", 8, pictures("48 kB", 1), WARM_UP, folder="warm-up")
        for size in arguments.size or SIZES:
            made = pictures(size, DIFFERENT)
            for parallel in PARALLEL:
                cells.append(deployment.measure(size, parallel, made, arguments.seconds, folder="measured"))
                print(f"{size} × {parallel}: {cells[-1].images_per_second} images/s", file=sys.stderr)
        modelled = figures.model(cells, deployment.write_units())
    document = {**facts, "model": modelled, "cells": [asdict(one) for one in cells]}
    markdown = figures.markdown(facts, cells, modelled, arguments.slower)
    print(json.dumps(document) if arguments.json else markdown)
    if arguments.write:
        reports.write("end_to_end", document, markdown, figures.plots(cells))
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Measure images a second, delay from upload to gallery, calls and CPU time on the local cloud.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--size", action="append", choices=SIZES, help="only images of this size; may be repeated")
    made.add_argument(
        "--seconds", type=float, default=12.0, metavar="N", help="how long uploads are begun in each cell (default: 12)"
    )
    made.add_argument(
        "--slower", type=float, default=2.0, metavar="X", help="how much slower a vCPU is than this one (default: 2)"
    )
    made.add_argument("--write", action="store_true", help="write JSON, Markdown and a plot to benchmarks/results/")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    return made


if __name__ == "__main__":
    sys.exit(run(main))
