"""The outcome table of a run over the corpora: for the terminal, and for benchmarks/results/."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.corpus.trials import BAD, CPU_SECONDS, MEMORY, Trial

_MEGABYTE = 1_000_000


def table(trials: list[Trial]) -> str:
    """Markdown: a row for each corpus and for each format, a column for each outcome."""
    outcomes = ["DONE", *sorted({trial.outcome for trial in trials} - {"DONE", *BAD}), *BAD]
    head = ["", "images", *outcomes, "most CPU s", "most MB"]
    rows = [_row(group, [t for t in trials if t.group == group], outcomes) for group in _groups(trials)]
    rows += [_row(f"*{form}*", [t for t in trials if t.format == form], outcomes) for form in _formats(trials)]
    rows.append(_row("**all**", trials, outcomes))
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _groups(trials: list[Trial]) -> list[str]:
    return list(dict.fromkeys(sorted((t.group for t in trials), key=lambda group: (group == "mutations", group))))


def _formats(trials: list[Trial]) -> list[str]:
    return sorted({trial.format for trial in trials})


def _row(name: str, trials: list[Trial], outcomes: Iterable[str]) -> list[str]:
    counts = Counter(trial.outcome for trial in trials)
    cpu = max((trial.cpu for trial in trials), default=0.0)
    memory = max((trial.memory for trial in trials), default=0) / _MEGABYTE
    return [name, str(len(trials)), *(str(counts[outcome]) for outcome in outcomes), f"{cpu:.2f}", f"{memory:.0f}"]


def write(folder: Path, trials: list[Trial], had: dict[str, int | str], seed: int) -> None:
    folder.mkdir(exist_ok=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    about = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip(),
        "seed": seed,
        "sources": had,
        "bad": [vars(trial) for trial in trials if trial.outcome in BAD],
        "slowest": _most(trials, "cpu"),
        "largest": _most(trials, "memory"),
        "outcomes": Counter(trial.outcome for trial in trials),
    }
    (folder / "corpora.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (folder / "corpora.md").write_text(_page(trials, about, had), encoding="utf-8")


def _most(trials: list[Trial], what: str) -> list[dict[str, object]]:
    return [vars(trial) for trial in sorted(trials, key=lambda trial: getattr(trial, what), reverse=True)[:5]]


def _page(trials: list[Trial], about: dict[str, object], had: dict[str, int | str]) -> str:
    missing = [f"- {name}: {reason}" for name, reason in had.items() if isinstance(reason, str)]
    empty = [f"- {name}: the package holds no image" for name, found in had.items() if found == 0]
    return (
        "# Public images and mutations of them through the image core\n\n"
        f"Written by `python benchmarks/corpora.py --write` on {about['date']} at {about['commit']}, seed "
        f"{about['seed']}. Each image in a child with {CPU_SECONDS} s of CPU and {MEMORY // _MEGABYTE} MB; memory "
        "counts on top of an idle child.\n"
        "`UNTYPED`, `CRASHED` and `OVER_BUDGET` must be 0.\n\n"
        f"{table(trials)}\n\n## Could not be had\n\n"
        + "\n".join(missing + empty or ["- nothing: all of it came"])
        + "\n"
    )
