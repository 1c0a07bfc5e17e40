"""Asks whether a library that we run, or that the zip carries, has a known weakness.

First it asks about a library that is known to have some: a service that finds nothing there has looked at nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence

from cli import console
from cli.exits import CommandError, Exit, run
from pipeline.settings import ROOT
from setup_scripts.package import HASHED_REQUIREMENTS

#: Who knows of weaknesses, in the words of pip-audit: pypi.org and api.osv.dev.
SERVICES = ("pypi", "osv")
#: CVE-2021-33503 and others.
WEAK = "urllib3==1.26.4\n"
RUN_REQUIREMENTS = ("requirements.txt", "bulk/requirements.txt", "imageservice/requirements.txt")
_PIP_AUDIT = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--disable-pip"]

#: Runs pip-audit with these arguments; its exit code and what it printed to stdout.
Ask = Callable[[Sequence[str]], tuple[int, str]]


def ask_pip_audit(arguments: Sequence[str]) -> tuple[int, str]:
    ended = subprocess.run([*_PIP_AUDIT, *arguments], capture_output=True, text=True, check=False)
    if ended.stderr.strip():
        console.say(ended.stderr.strip().splitlines()[-1])
    return ended.returncode, ended.stdout


def audit(ask: Ask) -> int:
    """Print what is found; DONE where that is nothing. CommandError where no service can be asked."""
    service = next((one for one in SERVICES if _finds_the_weak(ask, one)), None)
    if service is None:
        text = f"nothing was audited: neither pypi.org nor api.osv.dev could say what is wrong with {WEAK.strip()}"
        raise CommandError(f"{text}. Run it where one of them can be reached", Exit.REFUSED)
    found = [
        # Strict: what cannot be looked up counts as a finding, not as clean.
        ask(["--vulnerability-service", service, "--strict", *requirements])
        for requirements in (_zip_requirements(), _run_requirements())
    ]
    for _, told in found:
        for line in told.splitlines():
            console.result(line)
    if any(code for code, _ in found):
        return Exit.SOME_FAILED
    console.say(f"No known weakness, says {service}")
    return Exit.DONE


def _zip_requirements() -> list[str]:
    return ["--require-hashes", "--requirement", str(HASHED_REQUIREMENTS)]


def _run_requirements() -> list[str]:
    present = [ROOT / name for name in RUN_REQUIREMENTS if (ROOT / name).is_file()]
    return ["--no-deps", *(text for path in present for text in ("--requirement", str(path)))]


def _finds_the_weak(ask: Ask, service: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requirements.txt"
        path.write_text(WEAK, encoding="utf-8")
        _, told = ask(["--vulnerability-service", service, "--no-deps", "--format", "json", "--requirement", str(path)])
    try:
        return any(library.get("vulns") for library in json.loads(told)["dependencies"])
    except (ValueError, KeyError):
        return False


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0],
        epilog="example:\n  make audit      makes an environment with pip-audit in it, and runs this there",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    ).parse_args(argv)
    return run(lambda: audit(ask_pip_audit))


if __name__ == "__main__":
    sys.exit(main())
