"""Writes permission_templates/ anew: what setup allows whom, to read or to hand to whoever manages the account."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse

from pipeline.settings import ROOT
from setup_scripts.policies import templates

FOLDER = ROOT / "permission_templates"


def write(folder: Path = FOLDER) -> None:
    """One file for each policy; the same policies give the same bytes on every system."""
    for name, text in templates().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def main() -> int:
    epilog = "example:\n  python setup_scripts/write_permission_templates.py"
    argparse.ArgumentParser(
        description=__doc__, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
