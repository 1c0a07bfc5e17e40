"""Empties buckets of the local cloud into a folder: the drainer against boto3 one by one, the AWS CLI and rclone."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from benchmarks.local_cloud import children_cpu, command, cpu_seconds, surroundings
from cli.exits import Exit, run

EXAMPLES = """\
examples:
  python benchmarks/drain.py --objects 1000 --rounds 1      a quick look
  python benchmarks/drain.py --write                        10,000 x 10 kB and 30 x 100 MB, to benchmarks/results/
"""
ROOT = Path(__file__).resolve().parent.parent
AWS_CLI = ROOT / ".venv-aws" / "bin" / "aws"
SMALL, LARGE = 10_000, 100_000_000
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
ONE_BY_ONE = """
import os, sys, boto3
s3, bucket, folder = boto3.client("s3"), sys.argv[1], sys.argv[2]
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
    for entry in page.get("Contents", []):
        path = os.path.join(folder, entry["Key"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        s3.download_file(bucket, entry["Key"], path)
        s3.delete_object(Bucket=bucket, Key=entry["Key"])
"""


@dataclass(frozen=True)
class Measured:
    """One contender emptying one bucket; CPU in seconds of the program itself and of the local cloud."""

    contender: str
    objects: int
    bytes_each: int
    seconds: float
    client_cpu: float
    server_cpu: float

    @property
    def objects_per_second(self) -> float:
        return self.objects / self.seconds


class Arena:
    """A local cloud of its own, and the ways in which a bucket of it is emptied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = surroundings(folder / "home")
        self.endpoint = f"http://127.0.0.1:{self.environ['LOCAL_CLOUD_PORT']}"
        command(self.environ, "-m", "local_cloud", "start")
        self.server = int(json.loads(command(self.environ, "-m", "local_cloud", "status", "--json"))["pid"])
        self.s3 = self._client()

    def stop(self) -> None:
        command(self.environ, "-m", "local_cloud", "stop")

    def contenders(self) -> dict[str, list[str]]:
        """Command lines that end in a bucket and a folder; what is not installed is left out."""
        python, drain = sys.executable, str(ROOT / "bulk" / "drain_bucket.py")
        ours = [python, drain, "--local", "--yes", "--json", "--path-to-search", "*"]
        found = {"drain_bucket.py": [*ours, "--bucket-name", "{bucket}", "--local-base-path", "{folder}"]}
        found["boto3, one by one"] = [python, "-c", ONE_BY_ONE, "{bucket}", "{folder}"]
        if AWS_CLI.exists():
            found["aws s3 mv"] = [str(AWS_CLI), "s3", "mv", "--recursive", "--quiet", "s3://{bucket}", "{folder}"]
        if shutil.which("rclone"):
            found["rclone move"] = ["rclone", "move", "local:{bucket}", "{folder}"]
            found["rclone move, 16 at once"] = [*found["rclone move"], "--transfers", "16", "--checkers", "16"]
        return found

    def measure(self, contender: str, line: list[str], number: int, size: int) -> Measured:
        """Fill a bucket, let it be emptied, and see that every byte has arrived and none is left."""
        bucket = f"drain-{random.randrange(16**8):08x}"
        self._fill(bucket, number, size)
        target = self.folder / bucket
        target.mkdir()
        words = [word.format(bucket=bucket, folder=target) for word in line]
        before, client, started = cpu_seconds(self.server), children_cpu(), time.perf_counter()
        ended = subprocess.run(words, cwd=ROOT, env=self._environ(contender), capture_output=True, text=True)
        seconds, client = time.perf_counter() - started, children_cpu() - client
        server = sum(cpu_seconds(self.server).values()) - sum(before.values())
        self._check(contender, ended, bucket, target, number, size)
        shutil.rmtree(target)
        return Measured(contender, number, size, round(seconds, 2), round(client, 2), round(server, 2))

    def _environ(self, contender: str) -> dict[str, str]:
        if contender == "drain_bucket.py":
            return self.environ
        rclone = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": self.endpoint, "REGION": "us-east-1"}
        rclone |= {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
        named = {f"RCLONE_CONFIG_LOCAL_{name}": value for name, value in rclone.items()}
        return self.environ | KEYS | {"AWS_ENDPOINT_URL": self.endpoint} | named

    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
            config=Config(max_pool_connections=16),
        )

    def _fill(self, bucket: str, number: int, size: int) -> None:
        self.s3.create_bucket(Bucket=bucket)
        rng = random.Random(1)

        def put(one: tuple[str, bytes]) -> None:
            self.s3.put_object(Bucket=bucket, Key=one[0], Body=one[1])

        with ThreadPoolExecutor(8) as pool:
            for some in _slices(((f"{n % 100:02}/{n:05}.bin", rng.randbytes(size)) for n in range(number)), 1000, size):
                list(pool.map(put, some))

    def _check(
        self, contender: str, ended: subprocess.CompletedProcess[str], bucket: str, target: Path, number: int, size: int
    ) -> None:
        left = self.s3.list_objects_v2(Bucket=bucket).get("KeyCount", 0)
        files = [path for path in target.rglob("*.bin") if path.stat().st_size == size]
        if ended.returncode or left or len(files) != number:
            raise SystemExit(
                f"{contender}: {ended.returncode}, {left} left, {len(files)} files\n{ended.stderr[-2000:]}"
            )


def _slices(items: Iterator[tuple[str, bytes]], most: int, size: int) -> Iterator[list[tuple[str, bytes]]]:
    """The items in lists of which each fits into some 100 MB."""
    held: list[tuple[str, bytes]] = []
    for item in items:
        held.append(item)
        if len(held) * size >= LARGE or len(held) == most:
            yield held
            held = []
    if held:
        yield held


def main() -> Exit:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, default=10_000, help="objects of 10 kB (default: 10000)")
    parser.add_argument("--large", type=int, default=30, help="objects of 100 MB (default: 30)")
    parser.add_argument("--rounds", type=int, default=1, help="the median of so many, in turn (default: 1)")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/drain.md and drain.json")
    arguments = parser.parse_args()
    measured = measure_all(arguments.objects, arguments.large, arguments.rounds)
    page = table(measured)
    print(page)
    if arguments.write:
        write(measured, page, arguments.rounds)
    return Exit.DONE


def measure_all(objects: int, large: int, rounds: int) -> list[Measured]:
    """Everybody in turn, round after round, each with a bucket that nobody has used."""
    measured = []
    with tempfile.TemporaryDirectory(prefix="image-pipeline-") as folder:
        arena = Arena(Path(folder))
        try:
            for number, size in ((objects, SMALL), (large, LARGE)):
                for _ in range(rounds if number else 0):
                    for contender, line in arena.contenders().items():
                        measured.append(arena.measure(contender, line, number, size))
                        print(measured[-1], file=sys.stderr, flush=True)
        finally:
            arena.stop()
    return measured


def table(measured: list[Measured]) -> str:
    """Markdown: a row for each contender and size, medians over the rounds."""
    lines = ["| | objects | seconds | objects/s | MB/s | client CPU s | server CPU s |", "| --- |" + " ---: |" * 6]
    for name, size in dict.fromkeys((one.contender, one.bytes_each) for one in measured):
        ones = [one for one in measured if (one.contender, one.bytes_each) == (name, size)]
        seconds, number = median(one.seconds for one in ones), ones[0].objects
        cells = [
            f"{number} x {size:,} B",
            f"{seconds:.1f}",
            f"{number / seconds:.0f}",
            f"{number * size / seconds / 1e6:.1f}",
        ]
        cells += [f"{median(one.client_cpu for one in ones):.1f}", f"{median(one.server_cpu for one in ones):.1f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(measured: list[Measured], page: str, rounds: int) -> None:
    folder = ROOT / "benchmarks" / "results"
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    about = {
        "command": " ".join(["python benchmarks/drain.py", *sys.argv[1:]]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip(),
        "processors": os.cpu_count(),
        "host": socket.gethostname() and sys.platform,
        "load_at_the_end": os.getloadavg()[0],
        "measured": [asdict(one) for one in measured],
    }
    (folder / "drain.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    title = "# Emptying a bucket of the local cloud into a folder\n\n"
    how = (
        f"Written by `{about['command']}` on {about['date']} at {about['commit']}: {about['processors']} processors "
        f"for client and server together, medians of {rounds}. Only ratios within this run mean anything.\n"
        f"The load of the machine at the end was {about['load_at_the_end']:.0f}: "
        "above 3, others were at work there, too.\n"
        "Only `drain_bucket.py` makes files durable (fsync of file, folder and journal) and removes with If-Match.\n\n"
    )
    (folder / "drain.md").write_text(title + how + page + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(main))
