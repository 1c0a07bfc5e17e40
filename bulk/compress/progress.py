"""How far a run is, while it runs: images, images a second, bytes saved and the time that is left, on stderr."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bulk.compress.outcome import Done, Outcome
from cli import console

if TYPE_CHECKING:
    from rich.progress import Progress

_AT_ONCE = 1 << 20
_SAVING = (Outcome.COMPRESSED, Outcome.WOULD_COMPRESS)


def lines_in(file: io.BufferedReader) -> int:
    """About how many images a list names: its lines without the header."""
    file.seek(0)
    ends = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_AT_ONCE), b""))
    return max(1, ends - 1)


@contextmanager
def shown(
    total: int, already: int = 0, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[Done], None]]:
    """What is to be told of every image that has ended; silent where nobody watches.

    `already`: how many of `total` a run before has done.
    """
    started, saved, count = clock(), 0, 0
    with _display() as progress:
        task = progress.add_task("", total=total, completed=already, rate=0.0, saved="0 B")

        def tell(done: Done) -> None:
            nonlocal saved, count
            count += 1
            if done.outcome in _SAVING and done.before is not None and done.after is not None:
                saved += done.before - done.after
            rate = count / max(clock() - started, 0.001)
            progress.update(task, advance=1, rate=rate, saved=console.byte_size(saved))

        yield tell


def _display() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    watched = Console(stderr=True)
    columns = (
        TextColumn("Compressing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} images/s, {task.fields[saved]} saved"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=watched, transient=True, disable=not watched.is_terminal)
