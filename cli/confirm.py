"""The question before what cannot be taken back."""

from __future__ import annotations

import sys
from collections.abc import Callable

from cli import console
from cli.exits import CommandError, Exit


def confirm(question: Callable[[], str], otherwise: str) -> None:
    """Return where a person types yes; any other answer is a CommandError that says `otherwise`.

    `question` is put together only where somebody can be asked: it may take long.
    """
    if not sys.stdin.isatty():
        raise CommandError("nobody can be asked here: add --yes, or look first with --dry-run")
    if console.ask(f"{question()} Type yes to go on: ") != "yes":
        raise CommandError(otherwise, Exit.SOME_FAILED)
