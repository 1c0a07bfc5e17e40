"""Damage to the public images of each format: every one ends with a type, within the budget, and harms nobody else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest

from benchmarks.corpus.parts import parts
from benchmarks.corpus.trials import BAD, CPU_SECONDS, MEMORY
from pipeline.images.formats import FORMATS
from tests import images
from tests.torture.results import Results

ROOT = Path(__file__).resolve().parents[2]
#: Not the seed of the run over all formats: this damage is further damage.
SEED = "12"
SLICE, FULL = 25, 5_000


@pytest.mark.torture
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("form", FORMATS)
def test_every_mutation_of_a_format_has_a_typed_end_within_the_budget(
    form: str, corpora: Path, full_torture: bool, results: Results
):
    number = FULL if full_torture else SLICE
    command = [sys.executable, "benchmarks/corpora.py", "--had", "--json", "--files", "0", "--seed", SEED]
    command += ["--format", form, "--mutations", str(number)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3_600, check=False)

    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout)
    outcomes = Counter(trial["outcome"] for trial in trials)
    cpu, memory = (max(trial[what] for trial in trials) for what in ("cpu", "memory"))
    assert len(trials) == number
    assert [outcome for outcome in outcomes if outcome in BAD] == []
    assert outcomes["DONE"] > 0 and len(outcomes) > 1
    assert cpu <= CPU_SECONDS and memory <= MEMORY
    most = {"most_cpu_seconds": cpu, "most_megabytes": memory // 1_000_000}
    results.say(mutations=number, seed=int(SEED), outcomes=outcomes, wrong=sum(outcomes[one] for one in BAD), **most)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
def test_the_parts_of_a_file_stand_where_they_are_and_say_their_length(form):
    file = BytesIO()
    images.photo().save(file, form)
    data = file.getvalue()

    found = parts(data)

    assert found
    assert all(0 <= part.start <= part.length_at < part.end <= len(data) for part in found)
    assert form in ("BMP", "TIFF") or max(part.end for part in found) >= len(data) - 2


@pytest.mark.parametrize(
    "form", [b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"BM"]
)
def test_the_parts_of_a_damaged_file_are_found_in_bounds(form):
    for rest in (b"", b"\0" * 40, b"\xff" * 400, bytes(range(256))):
        assert all(part.end <= len(form + rest) for part in parts(form + rest))
