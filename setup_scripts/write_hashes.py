"""Writes lambda_function/requirements-hashed.txt anew: libraries, and the hashes of their wheels for AWS.

Run it after a version in lambda_function/requirements.txt has changed. pip then takes those wheels and no others.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any

from cli.exits import CommandError, Exit, run
from setup_scripts import package

_NOTE = "# Written by `make hashes` from requirements.txt; changes made here by hand are lost.\n"


def hashed_lines(requirements: str, reports: list[Mapping[str, Any]]) -> str:
    """The lines of `requirements`, each with the hashes that pip's `reports` name for it; KeyError without any."""
    hashes: dict[str, set[str]] = {}
    for report in reports:
        for entry in report["install"]:
            found = hashes.setdefault(_normal(entry["metadata"]["name"]), set())
            found.add(entry["download_info"]["archive_info"]["hashes"]["sha256"])
    return "".join(_with_hashes(line, hashes) for line in requirements.split())


def _with_hashes(line: str, hashes: Mapping[str, set[str]]) -> str:
    known = sorted(hashes[_normal(line.partition("==")[0])])
    return " \\\n    ".join([line, *(f"--hash=sha256:{value}" for value in known)]) + "\n"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _report(architecture: str) -> Any:
    """What pip would install for `architecture`, with no side effect."""
    options = package.pip_options(package.aws_runtime(architecture))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--dry-run"]
    command += [*options, "--ignore-installed", "--target", ".", "--report", "-"]
    command += ["--requirement", str(package.REQUIREMENTS)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise CommandError(f"pip found no wheels for {architecture}: see above", Exit.REFUSED)
    return json.loads(ended.stdout)


def write() -> int:
    reports = [_report(architecture) for architecture in package.ARCHITECTURES]
    lines = package.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    pinned = "\n".join(line for line in lines if not line.startswith("#"))
    text = _NOTE + hashed_lines(pinned, reports)
    package.HASHED_REQUIREMENTS.write_text(text, encoding="utf-8", newline="\n")
    return Exit.DONE


def main() -> int:
    epilog = "example:\n  python setup_scripts/write_hashes.py"
    description = (__doc__ or "").split("\n\n")[0]
    argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    return run(write)


if __name__ == "__main__":
    sys.exit(main())
