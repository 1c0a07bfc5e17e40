"""Runs one step as a program of its own, with the options that all commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.connection import connect
from setup_scripts.context import Context
from setup_scripts.recover import recover


def main(
    create: Callable[[Context], None],
    documentation: str | None,
    script: str,
    argv: Sequence[str] | None = None,
    *,
    shows: Sequence[str] = (),
) -> int:
    """Run the step `create`; `shows` names the resources to print, all when empty. Returns the exit code."""
    sentence = (documentation or "").splitlines()[0]
    path = f"python setup_scripts/{script}"
    arguments = command_parser(sentence, path, f"{path} --local").parse_args(argv)

    def run() -> int:
        with connect(Choice.from_arguments(arguments)) as connection:
            console.say(f"On {connection.target.description}")
            recover(connection, console.say)
            create(Context.of(connection, console.say))
            connection.remember()
            # What was not wanted, such as Batch, is not there.
            there = [key for key in shows or sorted(connection.resources) if key in connection.resources]
            shown = {key: connection.resources[key] for key in there}
        print_resources(shown, as_json=arguments.json)
        return exits.Exit.DONE

    return exits.run(run)


def print_resources(resources: dict[str, str], *, as_json: bool) -> None:
    """Names and URLs as lines `key  value`, or as one JSON object."""
    if as_json:
        console.json_line(resources)
        return
    width = max(map(len, resources), default=0)
    for key, value in resources.items():
        console.result(f"{key:<{width}}  {value}")
