"""Measures file lists: making one of millions of lines, and the jobs that compress its images, per core."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import os
import platform
import re
import resource
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from PIL import Image

from cli.exits import Exit, run

EXAMPLES = """\
examples:
  python benchmarks/file_lists.py
  python benchmarks/file_lists.py --lines 10000000 --images 400 --write
"""
ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results" / "file_lists.json"
LISTER = ROOT / "bulk" / "create_file_list.py"
RUNNER = ROOT / "bulk" / "run_file_list_locally.py"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
#: One job, so that its start is a small part of the figures.
BATCHES = 1
LIST_BATCHES = 1000


def main() -> Exit:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the list that is made (default: a million)")
    parser.add_argument("--images", type=int, default=200, help="that are compressed (default: 200)")
    parser.add_argument("--megapixels", type=float, default=2.0, help="of each image (default: 2)")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.relative_to(ROOT)}")
    arguments = parser.parse_args()
    figures: dict[str, Any] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "list": measure_list(arguments.lines),
        "jobs": measure_jobs(arguments.images, arguments.megapixels),
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if arguments.write:
        RESULTS.write_text(text + "\n", encoding="utf-8")
    return Exit.DONE


def measure_list(lines: int) -> dict[str, Any]:
    """Seconds and the most memory of the command, for both forms, with a thousandth of the lines twice."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "images.txt"
        with source.open("w", encoding="ascii") as file:
            for number in range(lines):
                file.write(f"s3://photos/{number % 365:03}/{number if number % 1000 else 0}.jpg\n")
        figures: dict[str, Any] = {"lines": lines, "bytes": source.stat().st_size}
        for form in ("json", "shards"):
            command = [
                sys.executable,
                str(LISTER),
                str(source),
                str(LIST_BATCHES),
                f"{folder}/{form}",
                "--format",
                form,
            ]
            figures[form] = _measured(command, dict(os.environ))
        figures["bytes_read_by_jobs"] = _bytes_read(Path(folder))
        return figures


def _bytes_read(folder: Path) -> dict[str, int]:
    """What a job reads of a list in one file: all, for its checksum is known at the end. And of shards: its own."""
    largest = max(path.stat().st_size for path in (folder / "shards").glob("batch_*"))
    return {"json, any job": (folder / "json").stat().st_size, "shards, any job": largest}


def _measured(command: list[str], environ: dict[str, str]) -> dict[str, Any]:
    """In a process of its own, whose only child is the command: memory is that of the largest child so far."""
    code = "import json, resource, subprocess, sys; done = subprocess.run(sys.argv[1:], capture_output=True);"
    code += "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
    code += "print(json.dumps([done.returncode, used.ru_maxrss, used.ru_utime + used.ru_stime]))"
    started = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", code, *command], env=environ, capture_output=True, check=True)
    returned, kilobytes, cpu = json.loads(ended.stdout)
    assert returned == 0, command
    seconds = time.monotonic() - started
    return {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "most_memory_mb": round(kilobytes / 1024)}


def measure_jobs(images: int, megapixels: float) -> dict[str, Any]:
    """CPU time of the jobs only, so that it does not matter what else this machine does meanwhile."""
    import boto3

    with _local_cloud() as environ, tempfile.TemporaryDirectory() as folder:
        s3 = boto3.client("s3", endpoint_url=environ["AWS_ENDPOINT_URL"], region_name="us-east-1")
        for bucket in ("photos", "lists", "out"):
            s3.create_bucket(Bucket=bucket)
        data = _photo(megapixels)
        names = [f"s3://photos/{number:06}.jpg" for number in range(images)]
        for name in names:
            s3.put_object(Bucket="photos", Key=name.removeprefix("s3://photos/"), Body=data)
        source = Path(folder) / "images.txt"
        source.write_text("\n".join(names))
        figures: dict[str, Any] = {"images": images, "megapixels": megapixels, "bytes_each": len(data)}
        for form, place in (("json", "may.json"), ("shards", "may/")):
            out = Path(folder) / form
            command = [sys.executable, str(LISTER), str(source), str(BATCHES), str(out), "--format", form]
            subprocess.run([*command, "--upload", f"s3://lists/{place}"], env=environ, check=True, capture_output=True)
            figures[form] = _run_jobs(place, form, images, environ)
        figures["again"] = _run_jobs("may/", "shards", images, environ)
        return figures


def _run_jobs(place: str, out: str, images: int, environ: dict[str, str]) -> dict[str, Any]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, str(RUNNER), f"s3://lists/{place}", f"s3://out/{out}", "--jobs", "1"]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    read = [int(size) for size in re.findall(r"\((\d+) bytes of list read\)", ended.stderr)]
    return {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(cpu, 1),
        "images_per_second_and_core": round(images / cpu, 1),
        "list_bytes_read_by_each_job": read,
    }


@contextmanager
def _local_cloud() -> Iterator[dict[str, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, **KEYS, "IMAGE_PIPELINE_HOME": home, "LOCAL_CLOUD_PORT": str(port)}
        environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
        os.environ.update(KEYS)
        local_cloud = [sys.executable, str(ROOT / "local_cloud")]
        subprocess.run([*local_cloud, "start"], env=environ, check=True, capture_output=True)
        try:
            yield environ
        finally:
            subprocess.run([*local_cloud, "stop"], env=environ, check=True, capture_output=True)


def _photo(megapixels: float) -> bytes:
    """Noise on soft shapes: about as many bytes for a pixel as photographs have."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    size = (width, round(width * 3 / 4))
    soft = [Image.effect_noise((size[0] // 8, size[1] // 8), 60).resize(size, Image.Resampling.BICUBIC) for _ in "rgb"]
    image = Image.blend(Image.merge("RGB", soft), Image.effect_noise(size, 30).convert("RGB"), 0.15)
    file = BytesIO()
    image.save(file, "JPEG", quality=92)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(run(main))
