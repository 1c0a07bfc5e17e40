"""What a torture test found, kept beside the seed, the date and the commit: docs/results/ holds the full runs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "results"


@dataclass
class Results:
    """The figures of one test."""

    test: str
    figures: dict[str, Any] = field(default_factory=dict)

    def say(self, **figures: Any) -> None:
        self.figures |= figures


def commit() -> str:
    """The commit that is checked out, with a mark where something in it was changed."""
    changed = bool(_git("status", "--porcelain", "--untracked-files=no"))
    return _git("rev-parse", "HEAD") + " and changes" * changed


def write(found: list[tuple[Results, float]], started_at: str, folder: Path = FOLDER) -> Path:
    """Add the figures of this run, each test with its seconds, to the file of this day.

    `started_at`: the commit as the run began; the work tree may have moved on since.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"torture-{now:%Y-%m-%d}.json"
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    run = {
        "finished": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": started_at,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
    }
    document |= {one.test: {**one.figures, "seconds": round(seconds, 1), **run} for one, seconds in found}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return path


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()
