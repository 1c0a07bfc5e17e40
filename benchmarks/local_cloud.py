"""A local cloud of a benchmark's own: its surroundings, the commands run in it, and whose CPU time it takes."""

from __future__ import annotations

import os
import random
import resource
import socket
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent


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
