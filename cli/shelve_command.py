"""`python show_shelve.py`: what aws_resources.db holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from cli import console, exits
from cli.arguments import command_parser
from cli.state import FILE_NAME, open_state
from pipeline.settings import home


def main(argv: Sequence[str] | None = None) -> int:
    """Print the shelve; returns the exit code. Needs neither AWS nor the local cloud."""
    parser = command_parser(
        f"Prints {FILE_NAME}: the names and addresses of all that was set up.",
        "python show_shelve.py",
        "python show_shelve.py --json",
        prog="show_shelve.py",
    )
    arguments = parser.parse_args(argv)
    return exits.run(lambda: _show(as_json=arguments.json))


def _show(*, as_json: bool) -> int:
    folder = home(os.environ)
    with open_state(folder) as shelf:
        content: dict[str, Any] = dict(shelf)
    if as_json:
        console.json_line(content)
        return exits.Exit.DONE
    if not content:
        console.say(f"{folder / FILE_NAME} is empty: run `python setup.py`")
    for key, value in content.items():
        console.result(f"{key}: {value}")
    return exits.Exit.DONE
