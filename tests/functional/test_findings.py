"""What fuzzing begins with, and what it has found, tried again without the fuzzer.

A finding is kept as `tests/findings/<target>/<what it was>`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fuzzing.seeds import seeds
from benchmarks.fuzzing.targets import TARGETS

FINDINGS = Path(__file__).resolve().parents[1] / "findings"
KEPT = sorted(path for path in FINDINGS.glob("*/*"))


@pytest.mark.parametrize("target", [name for name, target in TARGETS.items() if not target.takes_images])
def test_what_the_fuzzer_begins_with_holds(target):
    for data in seeds(target):
        TARGETS[target].attempt(data)
        TARGETS[target].attempt(data[: len(data) // 2])


@pytest.mark.parametrize("finding", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_the_fuzzer_once_found_is_not_there_any_more(finding):
    TARGETS[finding.parent.name].attempt(finding.read_bytes())


def test_every_finding_belongs_to_a_target():
    assert {path.name for path in FINDINGS.iterdir()} <= TARGETS.keys()
