"""What a run over all targets came to, kept beside its date and commit in docs/results/."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.fuzzing.seeds import ROOT

_STATISTIC = re.compile(r"^stat::(\w+): +(\d+)$", re.MULTILINE)
_KEPT = {"number_of_executed_units": "runs", "new_units_added": "inputs_that_reached_more", "peak_rss_mb": "peak_mb"}


def has_run(log: str) -> bool:
    return "number_of_executed_units" in log


def figures(log: str, *, exit_code: int, seconds: int) -> dict[str, object]:
    """What libFuzzer says at its end; it ends with another code than 0 where it has found something."""
    told = {_KEPT[name]: int(value) for name, value in _STATISTIC.findall(log) if name in _KEPT}
    return {**told, "seconds": seconds, "findings": int(exit_code != 0)}


def write(found: Mapping[str, Mapping[str, object]], seed: int) -> Path:
    now = datetime.now(UTC)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    path = ROOT / "docs" / "results" / f"fuzz-{now:%Y-%m-%d}.json"
    about = {"finished": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "commit": commit, "seed": seed, "targets": found}
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return path
