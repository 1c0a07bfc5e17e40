"""Measures compression in place against the few lines of Pillow that one would write oneself, on the same job."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from PIL import Image

from benchmarks.local_cloud import surroundings
from bulk.compress.gate import SlotGate
from bulk.compress.options import Options
from bulk.compress.outcome import Outcome
from bulk.compress.work import Bench, Order, Place
from bulk.csv_rows import Row
from cli.exits import Exit, run

EXAMPLES = """\
examples:
  python benchmarks/compress_in_place.py
  python benchmarks/compress_in_place.py --rounds 5 --json
"""
ROOT = Path(__file__).resolve().parent.parent
BUCKET = "originals"
QUALITY = 80


def main() -> Exit:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each image is compressed (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    found = measure(arguments.rounds)
    if arguments.json:
        print(json.dumps(found))
        return Exit.DONE
    for kind, figures in found.items():
        print(kind)
        for name, value in figures.items():
            print(f"  {name.replace('_', ' '):<34} {value:>10,.2f}")
    return Exit.DONE


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """By format: CPU time of both ways, one after the other for each image, and what each leaves of its bytes."""
    with tempfile.TemporaryDirectory(prefix="image-pipeline-") as folder, cloud(Path(folder)) as s3_and_place:
        s3, place = s3_and_place
        s3.create_bucket(Bucket=BUCKET)
        order = Order(place=place, bucket=BUCKET, temp_dir=folder, options=Options(quality=QUALITY))
        bench = Bench(order, s3, SlotGate(Path(folder, "gate"), 1 << 32))
        return {kind: compare(s3, bench, images, rounds) for kind, images in originals().items()}


def originals() -> dict[str, list[bytes]]:
    """The samples: JPEGs as a camera would have written them, PNGs as they are."""
    jpegs = [jpeg for path in sorted((ROOT / "img").glob("*.jpg")) if (jpeg := _camera_jpeg(path))]
    return {"JPEG": jpegs, "PNG": [path.read_bytes() for path in sorted((ROOT / "img").glob("*.png"))]}


def _camera_jpeg(path: Path) -> bytes | None:
    with Image.open(path) as image:
        if image.mode != "RGB":
            return None
        file = BytesIO()
        image.save(file, "JPEG", quality=95)
        return file.getvalue()


def compare(s3: Any, bench: Bench, images: list[bytes], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {"ours": [], "naive": []}
    left = {"ours": 0, "naive": 0}
    ways: dict[str, Callable[[str], None]] = {"ours": lambda key: ours(bench, key), "naive": lambda key: naive(s3, key)}
    for number, data in enumerate(images):
        for name, work in ways.items():
            times[name].append(statistics.median(timed(s3, work, f"{number}", data) for _ in range(rounds)))
            left[name] += s3.head_object(Bucket=BUCKET, Key=f"{number}")["ContentLength"]
    before = sum(map(len, images))
    return {
        "images": len(images),
        "megabytes_before": before / 1e6,
        "naive_images_per_second_and_core": len(images) / sum(times["naive"]),
        "ours_images_per_second_and_core": len(images) / sum(times["ours"]),
        "ours_by_naive": sum(times["naive"]) / sum(times["ours"]),
        "naive_percent_saved": 100 * (1 - left["naive"] / before),
        "ours_percent_saved": 100 * (1 - left["ours"] / before),
    }


def timed(s3: Any, work: Callable[[str], None], key: str, data: bytes) -> float:
    """Seconds of CPU of this process, all of its threads; the server has a process of its own."""
    s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    started = time.process_time()
    work(key)
    return time.process_time() - started


def ours(bench: Bench, key: str) -> None:
    done = bench.work(Row(2, key))
    if done.outcome not in (Outcome.COMPRESSED, Outcome.UNCHANGED):
        raise SystemExit(f"{key} ended as {done.outcome}: {done.reason}")


def naive(s3: Any, key: str) -> None:
    data = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with Image.open(BytesIO(data)) as image:
        file = BytesIO()
        image.save(file, image.format, quality=QUALITY, optimize=True)
    s3.put_object(Bucket=BUCKET, Key=key, Body=file.getvalue())


@contextmanager
def cloud(folder: Path) -> Iterator[tuple[Any, Place]]:
    environ = surroundings(folder / "home")
    endpoint = f"http://127.0.0.1:{environ['LOCAL_CLOUD_PORT']}"
    place = Place(region="us-east-1", endpoint_url=endpoint, profile=None, home=str(folder))
    local_cloud = [sys.executable, "-m", "local_cloud"]
    subprocess.run([*local_cloud, "start"], cwd=ROOT, env=environ, check=True, stdout=sys.stderr)
    try:
        yield place.s3(), place
    finally:
        subprocess.run([*local_cloud, "stop"], cwd=ROOT, env=environ, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(run(main))
