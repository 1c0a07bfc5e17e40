"""Measures the whole way on the local cloud: images per second, and CPU time of server, functions and client."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import os
import random
import resource
import socket
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from io import BytesIO

from PIL import Image

from cli.exits import Exit, run

EXAMPLES = """\
examples:
  python benchmarks/local_cloud.py
  python benchmarks/local_cloud.py --images 1000 --json
"""
ROOT = Path(__file__).resolve().parent.parent
#: Uploaded first, so that the functions' processes are up and their modules loaded.
WARM_UP = 10


@dataclass(frozen=True)
class Measured:
    """CPU times in milliseconds per image; `seconds` from the start of the upload command to its end."""

    images: int
    bytes_each: int
    seconds: float
    images_per_second: float
    server_cpu_ms: float
    functions_cpu_ms: float
    client_cpu_ms: float


def main() -> Exit:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=200, help="how many JPEGs of about 48 kB (default: 200)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    measured = asdict(measure(arguments.images))
    if arguments.json:
        print(json.dumps(measured))
    else:
        print("\n".join(f"{name.replace('_', ' '):<20} {value:>10}" for name, value in measured.items()))
    return Exit.DONE


def measure(images: int) -> Measured:
    """Upload into a local cloud of its own that has just been set up, follow the results to the end, and stop it."""
    with tempfile.TemporaryDirectory(prefix="image-pipeline-") as folder:
        environ = surroundings(Path(folder, "home"))
        write_images(Path(folder, "warm-up"), WARM_UP)
        size = write_images(Path(folder, "images"), images)
        try:
            command(environ, "setup.py", "--local")
            command(environ, "upload_folder_images.py", f"{folder}/warm-up")
            server = int(json.loads(command(environ, "-m", "local_cloud", "status", "--json"))["pid"])
            before, client, started = cpu_seconds(server), children_cpu(), time.perf_counter()
            command(environ, "upload_folder_images.py", f"{folder}/images")
            seconds, client = time.perf_counter() - started, children_cpu() - client
            after = cpu_seconds(server)
        finally:
            command(environ, "-m", "local_cloud", "stop")
    used = {pid: after[pid] - before.get(pid, 0.0) for pid in after}
    return Measured(
        images=images,
        bytes_each=size,
        seconds=round(seconds, 2),
        images_per_second=round(images / seconds, 1),
        server_cpu_ms=round(1000 * used.pop(server) / images, 1),
        functions_cpu_ms=round(1000 * sum(used.values()) / images, 1),
        client_cpu_ms=round(1000 * client / images, 1),
    )


def surroundings(home: Path) -> dict[str, str]:
    """The environment of a laptop without credentials, with a folder and a free port of its own."""
    home.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"IMAGE_PIPELINE_HOME": str(home), "LOCAL_CLOUD_PORT": str(port)}
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | own


def write_images(folder: Path, number: int) -> int:
    """Different photo-like JPEGs of about 48 kB; returns the mean size in bytes."""
    folder.mkdir()
    rng, total = random.Random(number), 0
    for index in range(number):
        soft = Image.effect_noise((32, 24), 90).resize((640, 480), Image.Resampling.BICUBIC)
        planes = [Image.blend(soft, Image.effect_noise((640, 480), 22), 0.2 + 0.05 * rng.random()) for _ in range(3)]
        file = BytesIO()
        Image.merge("RGB", planes).save(file, "JPEG", quality=83)
        total += Path(folder, f"{index:05}.jpg").write_bytes(file.getvalue())
    return total // number


def command(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def cpu_seconds(server: int) -> dict[int, float]:
    """User and system CPU time of the server and of every process below it, the ended ones of each included."""
    ticks = os.sysconf("SC_CLK_TCK")
    family, found = {server}, {}
    for path in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        pid, parent = int(path.parent.name), int(fields[1])
        if pid in family or parent in family:
            family.add(pid)
            found[pid] = sum(int(field) for field in fields[11:15]) / ticks
    return found


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(run(main))
