"""Builds the zip that Lambda runs, without deploying it, and prints its path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import os
from collections.abc import Sequence

from cli import console, exits
from pipeline.settings import home
from setup_scripts import package


def main(argv: Sequence[str] | None = None) -> int:
    path = "python setup_scripts/build_zip.py"
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"examples:\n  {path}\n  {path} --architecture x86_64\n  {path} --local",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--architecture",
        choices=package.ARCHITECTURES,
        default=package.DEFAULT_ARCHITECTURE,
        help="for AWS: the processor of the functions (default: %(default)s)",
    )
    kind.add_argument("--local", action="store_true", help="for the local cloud: this Python, this machine")
    arguments = parser.parse_args(argv)
    runtime = package.local_runtime() if arguments.local else package.aws_runtime(arguments.architecture)

    def build() -> int:
        console.result(str(package.build(runtime, home(os.environ), say=console.say)))
        return exits.Exit.DONE

    return exits.run(build)


if __name__ == "__main__":
    sys.exit(main())
