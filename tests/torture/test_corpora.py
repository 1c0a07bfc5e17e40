"""Public images, and damage of every kind to them, each in a child: `python benchmarks/corpora.py`."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.corpus.mutations import mutated
from benchmarks.corpus.trials import BAD
from tests import images

ROOT = Path(__file__).resolve().parents[2]
#: Files, mutations and seconds: the slice leaves time for what a busy machine does besides.
SLICE = ("--files", "250", "--mutations", "400", "--seconds", "40")
FULL = ("--mutations", "4000")


@pytest.mark.torture
@pytest.mark.timeout(3_600)
def test_every_public_image_and_mutation_has_a_typed_end_within_the_budget(corpora: Path, full_torture: bool):
    command = [sys.executable, "benchmarks/corpora.py", "--had", "--json", *(FULL if full_torture else SLICE)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3_600, check=False)

    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout)
    assert len(trials) > 100
    assert [trial for trial in trials if trial["outcome"] in BAD] == []
    done_well = sum(trial["outcome"] == "DONE" for trial in trials)
    assert done_well > len(trials) / 4


def test_a_seed_always_does_the_same_damage():
    data, other = images.png(), images.jpeg()

    first = [mutated(data, random.Random(seed), other) for seed in range(50)]

    assert first == [mutated(data, random.Random(seed), other) for seed in range(50)]
    assert len(set(first)) > 45
