"""Does all of `make run`: makes .venv, sets up on this laptop, uploads img/ and prints the gallery's address."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
#: The Makefile's marks, so that neither does again what the other did: the environment is made; it is filled.
MADE, READY = VENV / ".made", VENV / ".ready"
REQUIREMENTS = ("requirements.txt", "bulk/requirements.txt", "imageservice/requirements.txt")
CONSTRAINTS = "lambda_function/requirements.txt"
OLDEST, NEWEST = (3, 11), (3, 14)
QUERY = """SELECT ImageID, Outcome, SavedPercent FROM ImageMetadata WHERE ImageID = 'statue_small.jpg'"""


def main() -> int:
    argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  python3 run.py",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        return make_environment() or run()
    except KeyboardInterrupt:
        return 130


def make_environment() -> int:
    """Make .venv and install the pinned requirements, unless that is done; returns an exit code."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        version = ".".join(map(str, sys.version_info[:2]))
        return complain(f"this is Python {version}; run it with Python 3.11 to 3.14, for example: python3.13 run.py")
    if not works(PYTHON):
        tell("Making .venv")
        code = call(sys.executable, "-m", "venv", "--clear", str(VENV))
        if code:
            return complain("the venv module is missing: on Debian, sudo apt install python3-venv") or code
    MADE.touch()
    needed = [ROOT / name for name in REQUIREMENTS if (ROOT / name).is_file()]
    if READY.exists() and all(READY.stat().st_mtime >= path.stat().st_mtime for path in [*needed, ROOT / CONSTRAINTS]):
        return 0
    tell("Installing what the programs need into .venv")
    listed = [argument for path in needed for argument in ("--requirement", str(path))]
    code = call(PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-qq", *listed)
    if code == 0:
        READY.touch()
    return code


def run() -> int:
    """Set up, upload, and say where to look; returns the exit code of the first program that fails."""
    code = call(PYTHON, "setup.py", "--local", stdout=subprocess.DEVNULL)
    if code:
        return code
    code = call(PYTHON, "upload_folder_images.py", "--local")
    shelve = subprocess.run([PYTHON, "show_shelve.py", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    python = os.path.relpath(PYTHON)
    print(f"\nGallery: {json.loads(shelve.stdout)['local/default/website-url']}")
    print(f'Query:   {python} query.py "{QUERY}"')
    print(f"Stop:    {python} -m local_cloud stop")
    return code


def works(python: Path) -> bool:
    """Whether the interpreter starts, which it does not once its Python was removed, and has pip, which comes last."""
    try:
        return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def call(*command: str | Path, stdout: int | None = None) -> int:
    return subprocess.run(command, cwd=ROOT, stdout=stdout, check=False).returncode


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def complain(text: str) -> int:
    tell(f"error: {text}")
    return 2


if __name__ == "__main__":
    sys.exit(main())
