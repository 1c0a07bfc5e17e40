"""The options that all commands share, and help that is one sentence and then examples to copy."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.console import never_fail_to_print

#: It becomes part of queue, table and function names, the shortest of which may have 64 characters.
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Where the person wants a command to act; None means: not said."""

    local: bool = False
    aws: bool = False
    region: str | None = None
    profile: str | None = None
    name: str | None = None

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Choice:
        return cls(
            local=arguments.local,
            aws=arguments.aws,
            region=arguments.region,
            profile=arguments.profile,
            name=arguments.name,
        )


def command_parser(sentence: str, *examples: str, prog: str | None = None) -> argparse.ArgumentParser:
    """A strict parser (no abbreviations) with the shared options; `examples` are whole command lines."""
    never_fail_to_print()  # help is printed while arguments are read, before there is anything to run
    parser = argparse.ArgumentParser(
        prog=prog,
        description=sentence,
        epilog="\n".join(["examples:", *(f"  {example}" for example in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_shared_options(parser)
    return parser


def _add_shared_options(parser: argparse.ArgumentParser) -> None:
    shared = parser.add_argument_group("shared options")
    place = shared.add_mutually_exclusive_group()
    place.add_argument("--local", action="store_true", help="act on the local cloud of this laptop")
    place.add_argument("--aws", action="store_true", help="act on AWS with the credentials found")
    shared.add_argument("--region", help="AWS region (default: from .env or the profile, else us-east-1)")
    shared.add_argument("--profile", help="profile of the AWS CLI; implies --aws")
    shared.add_argument("--name", type=_deployment_name, help="which deployment, where there are several")
    shared.add_argument("--json", action="store_true", help="print results as JSON")
    shared.add_argument("--version", action=_Version, nargs=0, help="show version and commit, and exit")


class _Version(argparse.Action):
    """Looks for the commit only where somebody asks for it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: str | Sequence[Any] | None, option: Any = None
    ) -> None:
        from cli.commit import checked_out_release

        print(f"image-pipeline {checked_out_release()}")
        parser.exit()


def _deployment_name(text: str) -> str:
    if NAME.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} must be 1 to 20 of a-z, 0-9 and inner hyphens, for example team-2")


def positive(text: str) -> int:
    """A whole number above 0, as the type of an option."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a whole number above 0")
