"""Measures how much quicker a batch of images gets by more threads in one function, on one core and on two."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
from dataclasses import asdict

from benchmarks import reports
from benchmarks.batches import figures
from benchmarks.batches.measure import Cores, rows
from benchmarks.whole_way.pictures import SIZES
from cli.exits import CommandError, Exit, run

EXAMPLES = """\
examples:
  python benchmarks/threads.py --repeat 1 --size "48 kB"     a quick look
  python benchmarks/threads.py --write                       everything, and keep it in benchmarks/results/
"""


def main() -> int:
    arguments = parser().parse_args()
    facts = reports.surroundings()
    cores = Cores.available()
    if len(cores.numbers) < 2:
        raise CommandError("two cores are needed to measure what a second one brings, and this process may use one")
    found = rows(arguments.size or list(SIZES), cores, max(1, arguments.repeat), say=_say)
    document = {**facts, "repeat": arguments.repeat, "rows": [asdict(one) for one in found]}
    markdown = figures.markdown(facts, found)
    print(json.dumps(document) if arguments.json else markdown)
    if arguments.write:
        reports.write("threads", document, markdown, figures.plots(found))
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Measure batches of images with one to four threads, on one core and on two.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--size", action="append", choices=SIZES, help="only images of this size; may be repeated")
    made.add_argument("--repeat", type=int, default=5, metavar="N", help="times each batch is done (default: 5)")
    made.add_argument("--write", action="store_true", help="write JSON, Markdown and a plot to benchmarks/results/")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    return made


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run(main))
