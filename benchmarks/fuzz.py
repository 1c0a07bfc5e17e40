"""Fuzzes what meets bytes from outside: atheris looks for some for which a target does not hold what it promises."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import os
import subprocess

from benchmarks.fuzzing import report
from benchmarks.fuzzing.seeds import seeds
from benchmarks.fuzzing.targets import TARGETS
from cli.exits import CommandError, Exit, run

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = """\
examples:
  make fuzz SECONDS=600                          every target, for an equal share of ten minutes
  python benchmarks/fuzz.py --target messages --seconds 60
  python benchmarks/fuzz.py --target transform --again .fuzz/transform/crash-0123abcd
"""
FOLDER = ROOT / ".fuzz"


def main() -> int:
    arguments = parser().parse_args()
    if arguments.again:
        TARGETS[arguments.target or "transform"].attempt(arguments.again.read_bytes())
        print("nothing is raised any more")
        return Exit.DONE
    if arguments.target:
        return fuzz(arguments.target, arguments.seconds, arguments.seed)
    share = max(1, arguments.seconds // len(TARGETS))
    found = {target: _elsewhere(target, share, arguments.seed) for target in TARGETS}
    if arguments.write:
        print(f"written: {report.write(found, arguments.seed)}", file=sys.stderr)
    return Exit.SOME_FAILED if any(figures["findings"] for figures in found.values()) else Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Fuzz images, messages, keys, cursors, CSV files and lists with atheris; findings go to .fuzz/.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--target", choices=list(TARGETS), help="only this one (default: all, one after the other)")
    made.add_argument("--seconds", type=int, default=60, help="how long in all (default: 60)")
    made.add_argument("--seed", type=int, default=1, help="of the random numbers (default: 1)")
    made.add_argument("--write", action="store_true", help="keep the figures of a run over all in docs/results/")
    made.add_argument("--again", type=Path, metavar="FILE", help="try one finding again, without atheris")
    return made


def fuzz(name: str, seconds: int, seed: int) -> int:
    """Does not return: libFuzzer ends the process, with 77 where it has found something."""
    try:
        import atheris
    except ImportError as error:
        raise CommandError("atheris is not installed: `make fuzz` installs benchmarks/requirements-fuzz.txt") from error
    target, folder = TARGETS[name], FOLDER / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=list(target.modules)):
        for number, data in enumerate(seeds(name)):
            (corpus / f"seed-{number:04}").write_bytes(data)
            target.attempt(data)
    # Decoders print what they think of a file; libFuzzer has a descriptor of its own.
    options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={target.max_len}", "-timeout=30"]
    options += [f"-artifact_prefix={folder}{os.sep}", "-rss_limit_mb=2000", "-print_final_stats=1", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.attempt)
    atheris.Fuzz()
    return Exit.DONE


def _elsewhere(target: str, seconds: int, seed: int) -> dict[str, object]:
    """In a process of its own, which libFuzzer ends; what it says goes to `.fuzz/<target>/log`."""
    command = [sys.executable, __file__, "--target", target, "--seconds", str(seconds), "--seed", str(seed)]
    log = FOLDER / target / "log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        ended = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
    text = log.read_text(encoding="utf-8", errors="replace")
    if not report.has_run(text):
        raise CommandError(text.strip().splitlines()[-1] if text.strip() else f"{target} said nothing")
    figures = report.figures(text, exit_code=ended.returncode, seconds=seconds)
    print(f"{target}: {figures['runs']} runs, {figures['findings']} findings; {log}", file=sys.stderr)
    return figures


if __name__ == "__main__":
    sys.exit(run(main))
