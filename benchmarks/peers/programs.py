"""The processes that do the work: started pinned to one core, asked one file at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.peers.routes import PYTHON
from cli.exits import CommandError, Exit

HERE = Path(__file__).resolve().parent
#: What is fetched and made for the benchmark, and never committed.
FOLDER = HERE.parent.parent / ".bench"
SHARP = ("sharp", "sharp tuned", "sharp mozjpeg")
ROUTES = (*PYTHON, *SHARP)


@dataclass(frozen=True)
class Answer:
    """Seconds of CPU over all threads and by the clock, peak memory in MB (VmHWM), and bytes of both results."""

    cpu: float
    wall: float
    peak: float
    small: int
    whole: int


class Program:
    """One route in one process. Raises CommandError where it cannot be started or dies."""

    def __init__(self, route: str, cores: set[int]) -> None:
        self._route = route
        self._process = subprocess.Popen(
            _command(route),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE.parent.parent,
            env={**os.environ, "VIPS_CONCURRENCY": "1", "MAGICK_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1"},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, *files: Path, keep: Path | None = None, at_once: int = 1) -> Answer:
        """Do the job once for each file; the first one's whole picture is written to `keep`."""
        assert self._process.stdin and self._process.stdout
        names = [str(file) for file in files]
        request = {"files": names, "keep": str(keep) if keep else None, "at_once": at_once}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise CommandError(f"{self._route} ended at {files[0].name}", Exit.SOME_FAILED)
        fields: dict[str, Any] = json.loads(line)
        return Answer(**fields)


def routes_for(form: str, routes: list[str]) -> list[str]:
    """Without those that do with this format just what sharp's defaults do."""
    same = {"JPEG": set[str](), "PNG": {"sharp mozjpeg"}}.get(form, {"sharp tuned", "sharp mozjpeg"})
    return [route for route in routes if route not in same]


def _command(route: str) -> list[str]:
    if route in SHARP:
        return ["node", str(HERE / "sharp_worker.mjs"), str(FOLDER / "node"), route]
    return [sys.executable, "-c", f"from benchmarks.peers.worker import answer_requests; answer_requests({route!r})"]


def available() -> dict[str, str | None]:
    """Every route and None, or why it cannot run here and what to do about it."""
    sharp = None if _has_sharp() else "needs Node 20 and npm"
    magick = None if _is_imagemagick() else "needs ImageMagick 6 or 7: apt-get install imagemagick"
    reasons = {"ImageMagick": magick, **dict.fromkeys(SHARP, sharp)}
    return {route: reasons.get(route) for route in ROUTES}


def _has_sharp() -> bool:
    """Installed from npm into FOLDER when it is not there yet."""
    target = FOLDER / "node"
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    if not (target / "node_modules" / "sharp").is_dir():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", target)
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        return subprocess.run(command, cwd=target, stdout=sys.stderr).returncode == 0
    return True


def _is_imagemagick() -> bool:
    program = shutil.which("convert")
    if not program:
        return False
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30)
    return said.stdout.startswith("Version: ImageMagick")


def versions() -> dict[str, str]:
    """What is compared, each with its version."""
    from importlib.metadata import version

    names = {"Pillow": "pillow", "pyvips": "pyvips", "libvips": "pyvips-binary", "OpenCV": "opencv-python-headless"}
    found = {name: version(package) for name, package in names.items()}
    sharp = FOLDER / "node" / "node_modules" / "sharp" / "package.json"
    if sharp.exists():
        found["sharp"] = json.loads(sharp.read_text())["version"]
    if _is_imagemagick():
        first = subprocess.run(["convert", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
        found["ImageMagick"] = first.split()[2]
    return found
