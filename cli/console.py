"""stdout is the result, stderr is the story. rich is imported only when something is drawn."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

_UNITS = ("B", "kB", "MB", "GB", "TB")


def say(text: str) -> None:
    """One line of the story. Where nobody listens any more (`2>&1 | head`), the work goes on."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except BrokenPipeError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """After its reader has gone: what is printed from now on, and what still lies in its buffer, leads nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def heard_or_not() -> Iterator[None]:
    """For a result that is told after the work: a reader who has gone (`| head`) changes nothing of how it ended."""
    try:
        yield
    except BrokenPipeError:
        silence(sys.stdout)


def result(text: str) -> None:
    """One line of the result."""
    print(printable(text), flush=True)


def ask(question: str) -> str:
    """What a person answers, in lower case; nothing where they end the input (Ctrl-D)."""
    print(printable(question), end="", file=sys.stderr, flush=True)
    try:
        return input().strip().lower()
    except EOFError:
        return ""


def json_line(value: object) -> None:
    """One JSON object on a line of its own; characters outside ASCII are escaped, so any terminal shows them."""
    print(json.dumps(value), flush=True)


def printable(text: str) -> str:
    """Text from outside (keys, errors) with control characters escaped: none of it can steer a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def printable_lines(text: str) -> str:
    """The same of text whose lines are ours."""
    return "\n".join(map(printable, text.split("\n")))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = (), title: str = "") -> None:
    """Draw a table on stdout; the columns named in `right` are numbers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left")
    for column in columns:
        drawn.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(_with_escapes(printable(str(cell)))) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 160)
    # Printed by us: rich would end the program with a code of its own where the reader (`| head`) has gone.
    with console.capture() as captured:
        console.print(drawn)
    print(captured.get(), end="", flush=True)


def _with_escapes(cell: str) -> str:
    """What stdout would make of it: a column is as wide as what is printed in it."""
    encoding = sys.stdout.encoding or "utf-8"
    return cell.encode(encoding, "backslashreplace").decode(encoding)


def never_fail_to_print() -> None:
    """Keys and help texts hold any character; a terminal or pipe that lacks one gets its escape instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def progress() -> Progress:
    """A progress display on stderr, silent where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def byte_size(count: int) -> str:
    """`count` bytes in the unit that gives one to three digits before the point: 48.2 kB."""
    size, unit = float(count), 0
    while abs(size) >= 999.95 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
