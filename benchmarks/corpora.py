"""Runs every image of public corpora, and seeded mutations of them, through the image core, each in a child."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from benchmarks.corpus import report
from benchmarks.corpus.mutations import mutated
from benchmarks.corpus.sources import SOURCES, NotHadError, fetch, files_of
from benchmarks.corpus.trials import BAD, Trial, try_all
from cli.exits import CommandError, Exit, run
from pipeline.images.formats import FORMATS, sniff

FOLDER = Path(__file__).resolve().parent.parent / ".corpora"
RESULTS = Path(__file__).resolve().parent / "results"
EXAMPLES = """\
examples:
  python benchmarks/corpora.py                              fetch, run everything and 4,000 mutations, write results
  python benchmarks/corpora.py --fetch-only
  python benchmarks/corpora.py --had --files 0 --format TIFF --mutations 5000
  python benchmarks/corpora.py --files 100 --mutations 300 --seconds 40 --json
"""
#: Mutations are of small files: damage is damage, and many small files say more than few large ones.
MUTATED_BYTES = 200_000


def main() -> int:
    arguments = parser().parse_args()
    had = {} if arguments.had else fetch_all()
    if arguments.fetch_only:
        return Exit.DONE
    if not any((FOLDER / source.name).is_dir() for source in SOURCES):
        raise CommandError("no corpus could be had: `python benchmarks/corpora.py --fetch-only`", Exit.SOME_FAILED)
    trials = list(_until(time.monotonic() + arguments.seconds, chosen(arguments), arguments.jobs))
    if arguments.json:
        print(json.dumps([asdict(trial) for trial in trials]))
    else:
        print(report.table(trials))
    if arguments.write:
        report.write(RESULTS, trials, had, arguments.seed)
    bad = [trial for trial in trials if trial.outcome in BAD]
    for trial in bad:
        print(f"{trial.outcome}: {trial.group}: {trial.name}: {trial.detail!a}", file=sys.stderr)
    return Exit.SOME_FAILED if bad else Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Fetch public test images and run them and mutations of them through the image core.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--fetch-only", action="store_true", help="fetch into .corpora/ and end")
    made.add_argument("--had", action="store_true", help="fetch nothing: take what .corpora/ holds")
    made.add_argument("--files", type=int, metavar="N", help="only N files, chosen by the seed (default: all)")
    made.add_argument("--mutations", type=int, default=4_000, metavar="N", help="how many (default: 4000)")
    made.add_argument("--format", choices=list(FORMATS), help="mutate images of this one only")
    made.add_argument("--seed", type=int, default=1, help="chooses files and damage (default: 1)")
    made.add_argument("--seconds", type=float, default=1e9, help="begin no image after this time (default: no end)")
    made.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="images at a time (default: all cores)")
    made.add_argument("--write", action="store_true", help="write benchmarks/results/corpora.md and .json")
    made.add_argument("--json", action="store_true", help="print every trial as JSON")
    return made


def fetch_all() -> dict[str, int | str]:
    """Of each source the number of its files, or why there are none."""
    had: dict[str, int | str] = {}
    for source in SOURCES:
        try:
            had[source.name] = fetch(source, FOLDER)
        except NotHadError as error:
            had[source.name] = str(error)
            print(f"{source.name} could not be had: {error}", file=sys.stderr)
    return had


def chosen(arguments: argparse.Namespace) -> Iterator[tuple[str, str, bytes]]:
    """The files, then the mutations."""
    chance = random.Random(arguments.seed)
    paths = [path for source in SOURCES for path in files_of(FOLDER / source.name)]
    picked = paths if arguments.files is None else chance.sample(paths, min(arguments.files, len(paths)))
    for path in picked:
        group, _, name = path.relative_to(FOLDER).as_posix().partition("/")
        yield group, name, path.read_bytes()
    yield from _mutations(paths, arguments)


def _mutations(paths: list[Path], arguments: argparse.Namespace) -> Iterator[tuple[str, str, bytes]]:
    by_format: dict[str, list[Path]] = {}
    for path in paths:
        form = sniff(path.read_bytes()[:4_096]) if path.stat().st_size <= MUTATED_BYTES else None
        if form and arguments.format in (None, form.name):
            by_format.setdefault(form.name, []).append(path)
    for count in range(arguments.mutations if by_format else 0):
        chance = random.Random(f"{arguments.seed}/{count}")
        # Formats take turns: there are twenty PNGs for every AVIF.
        of_format = by_format[sorted(by_format)[count % len(by_format)]]
        path, other = chance.choice(of_format), chance.choice(of_format)
        name = f"{count} of {path.relative_to(FOLDER).as_posix()}"
        yield "mutations", name, mutated(path.read_bytes(), chance, other.read_bytes())


def _until(deadline: float, images: Iterator[tuple[str, str, bytes]], jobs: int) -> Iterator[Trial]:
    def in_time() -> Iterator[tuple[str, str, bytes]]:
        for image in images:
            if time.monotonic() > deadline:
                return
            yield image

    outcomes: Counter[str] = Counter()
    for number, trial in enumerate(try_all(in_time(), jobs), 1):
        outcomes[trial.outcome] += 1
        if number % 500 == 0:
            told = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())
            print(f"{number} images: {told}", file=sys.stderr)
        yield trial


if __name__ == "__main__":
    sys.exit(run(main))
