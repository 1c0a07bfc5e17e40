"""Compresses the images of a bucket that a CSV file lists, each in its place, and logs every step."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import importlib.util
import os
from collections.abc import Sequence

from bulk.compress.arguments import parser
from cli import console, exits
from cli.exits import CommandError

#: What `pip install boto3 pillow dask opencv-python`, as the older system had it, does not bring.
_NEEDED = ("boto3", "PIL", "distributed", "simplejpeg", "dotenv", "rich")


def main(argv: Sequence[str] | None = None) -> int:
    """Compress what the list names; returns the exit code: 1 where images failed or lines are to be mended."""
    arguments = parser(__doc__ or "").parse_args(argv)
    return exits.run(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError(f"{missing[0]} is not installed: pip install -r bulk/requirements.txt")
    from bulk.compress.command import run

    found = run(arguments, os.environ)
    console.say(f"{console.byte_size(found['bytes_saved'])} {'would be ' * arguments.dry_run}saved")
    return exits.Exit.SOME_FAILED if found["failed"] else exits.Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
