"""Measures what a cold start costs: CPU time of importing each function, beside boto3 with two clients, in turns."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from cli.exits import Exit, run
from pipeline.settings import Settings, home
from setup_scripts import package

EXAMPLES = """\
examples:
  python benchmarks/cold_start.py
  python benchmarks/cold_start.py --repeat 31 --write     … and keep it in benchmarks/results/cold_start.json
  python benchmarks/cold_start.py --zip old.zip --zip new.zip
"""
RESULTS = Path(__file__).resolve().parent / "results" / "cold_start.json"
#: What the processing function may cost at most, as a multiple of the reference.
MOST = 1.35
REFERENCE = "boto3 with clients of S3 and DynamoDB"
WAYS = {
    "nothing": "pass",
    REFERENCE: "import boto3; boto3.client('s3'); boto3.client('dynamodb')",
    "processing": "import lambda_function.handler",
    "gallery": "import lambda_function.gallery_api",
    "totals": "import lambda_function.count_stats",
}
#: Time counts from a Python that runs. The folder is that of the unpacked zip, compiled, and there is no other.
PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
begun = time.process_time()
{way}
print(time.process_time() - begun)
"""
SETTINGS = Settings(
    uploads_bucket="uploads",
    outputs_bucket="outputs",
    table_name="ImageMetadata",
    outputs_url="http://127.0.0.1:1/outputs",
    uploads_url="http://127.0.0.1:1/uploads",
    queue_url="http://127.0.0.1:1/000000000000/queue",
)


@dataclass(frozen=True)
class Measured:
    """One way in one zip: medians of its CPU time, and of its ratio to the reference that ran just before it."""

    zip: str
    way: str
    cpu_ms: float
    ratio: float


def main() -> int:
    arguments = parser().parse_args()
    paths = arguments.zip or [package.build(package.local_runtime(), home(os.environ), say=_say)]
    rows = [row for path in paths for row in measured(path, max(1, arguments.repeat))]
    text = json.dumps({"python": sys.version.split()[0], "repeat": arguments.repeat, "rows": [asdict(r) for r in rows]})
    if arguments.write:
        RESULTS.write_text(json.dumps(json.loads(text), indent=1) + "\n", encoding="utf-8")
    print(text if arguments.json else table(rows))
    return Exit.SOME_FAILED if any(row.way == "processing" and row.ratio > MOST for row in rows[-len(WAYS) :]) else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=f"Measure the CPU time of importing each function; more than {MOST} x boto3 for the first fails.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "--zip", action="append", type=Path, help="measure this zip instead of a new one; may be repeated"
    )
    made.add_argument("--repeat", type=int, default=15, metavar="N", help="runs of each way (default: 15)")
    made.add_argument("--write", action="store_true", help="write benchmarks/results/cold_start.json")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    return made


def measured(path: Path, repeat: int) -> Iterator[Measured]:
    runs: dict[str, list[float]] = {way: [] for way in WAYS}
    with unpacked(path) as folder:
        # One run of each that does not count: the files are then in the system's memory for all alike.
        for number in range(repeat + 1):
            for way, code in WAYS.items():
                seconds = cpu_seconds(folder, code)
                if number:
                    runs[way].append(seconds)
    for way, times in runs.items():
        ratios = [one / reference for one, reference in zip(times, runs[REFERENCE], strict=True)]
        yield Measured(path.name, way, round(statistics.median(times) * 1000, 1), round(statistics.median(ratios), 3))


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        yield Path(folder)


def cpu_seconds(folder: Path, code: str) -> float:
    environ = {
        **SETTINGS.to_environment(),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
    }
    command = [sys.executable, "-I", "-S", "-c", PROGRAM.format(way=code), str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environ).stdout)


def table(rows: list[Measured]) -> str:
    lines = [f"{'zip':<60} {'imported':<40} {'CPU ms':>8} {'ratio':>7}"]
    lines += [f"{row.zip:<60} {row.way:<40} {row.cpu_ms:>8.1f} {row.ratio:>7.3f}" for row in rows]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(run(main))
