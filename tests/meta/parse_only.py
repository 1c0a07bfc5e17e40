"""Reads command lines as JSON from stdin and has each program parse its own, and do nothing more; prints the refused.

Run as a program of its own: it replaces argparse's last step, and imports what the programs import.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any, NoReturn

_parse = argparse.ArgumentParser.parse_args


class Parsed(BaseException):
    """The arguments are right; what would come next does not."""


def parse_and_stop(parser: argparse.ArgumentParser, *arguments: Any, **named: Any) -> NoReturn:
    _parse(parser, *arguments, **named)
    raise Parsed


def refusal(command: list[str]) -> str | None:
    """Why the program does not take these arguments; None where it does."""
    module = command[1] if command[0] == "-m" else None
    # Some programs are shown as they are started from their own folder.
    path = next((path for path in (Path(command[0]), Path("bulk", command[0])) if path.is_file()), None)
    if module is None and path is None:
        return "there is no such program"
    if len(command) == 1 or "…" in command:
        return None
    sys.argv = command[1:] if module else command
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
            runpy.run_module(module, run_name="__main__") if module else runpy.run_path(str(path), run_name="__main__")
    except Parsed:
        return None
    except SystemExit as end:
        return None if end.code == 0 else told.getvalue().strip().splitlines()[-1]
    return "it looked at no argument"


def main() -> None:
    argparse.ArgumentParser.parse_args = parse_and_stop  # type: ignore[assignment, method-assign]
    refused = {" ".join(command): refusal(command) for command in json.load(sys.stdin)}
    print(json.dumps({command: reason for command, reason in refused.items() if reason}))


if __name__ == "__main__":
    main()
