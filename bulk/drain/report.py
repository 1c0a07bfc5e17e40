"""What became of the objects, while it goes on and at the end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bulk.drain.outcomes import REMOVED, WANTED, Outcome
from bulk.drain.results import Result
from cli import console

if TYPE_CHECKING:
    from rich.progress import Progress, Task

#: So many objects that stay are named; the log has all of them.
_NAMED = 20


@dataclass
class Report:
    """Objects and bytes by outcome."""

    objects: Counter[Outcome] = field(default_factory=Counter)
    bytes: Counter[Outcome] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    watchers: list[Callable[[Result], None]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.objects[result.outcome] += 1
        self.bytes[result.outcome] += result.size
        if result.outcome not in REMOVED | WANTED and self.kept <= _NAMED:
            console.say(f"{result.candidate.key}: {result.reason or result.outcome}")
        for watcher in self.watchers:
            watcher(result)

    @property
    def removed(self) -> int:
        return sum(self.objects[outcome] for outcome in REMOVED)

    @property
    def kept(self) -> int:
        """Objects that stay in S3 although nobody asked for that."""
        return self.objects.total() - self.removed - sum(self.objects[outcome] for outcome in WANTED)

    def print(self, *, as_json: bool, log: str) -> None:
        if as_json:
            console.json_line(self.facts())
            return
        rows = [
            (outcome.value, self.objects[outcome], console.byte_size(self.bytes[outcome]))
            for outcome in Outcome
            if self.objects[outcome]
        ]
        if rows:
            console.table(("Outcome", "Objects", "Bytes"), rows, right=("Objects", "Bytes"))
        seconds = max(time.monotonic() - self.started, 0.001)
        total = console.byte_size(self.bytes.total())
        console.say(f"{self.removed} objects removed, {self.kept} kept, {total} in {seconds:.1f} s; log: {log}")

    def facts(self) -> dict[str, Any]:
        return {
            "removed": self.removed,
            "kept": self.kept,
            "bytes": self.bytes.total(),
            "seconds": round(time.monotonic() - self.started, 3),
            "outcomes": {outcome.value: self.objects[outcome] for outcome in Outcome if self.objects[outcome]},
        }


@contextmanager
def progress(report: Report, count: Callable[[], int]) -> Iterator[None]:
    """Objects/s, MB/s and time left on stderr while the block runs; `count` says how many objects to expect."""
    display = _display()
    if display.disable:
        yield
        return
    task = display.add_task("Draining", total=None)
    report.watchers.append(lambda result: _advance(display, task, result))
    with display:
        # Beside the work, which waits for no listing to end.
        threading.Thread(target=_expect, args=(display, task, count), daemon=True).start()
        yield


def _expect(display: Progress, task: Any, count: Callable[[], int]) -> None:
    try:
        display.update(task, total=count())
    except Exception:
        # Then no time left is shown; what is wrong with the listing, the work itself will say.
        return


def _advance(display: Progress, task: Any, result: Result) -> None:
    before = display.tasks[task].fields.get("bytes", 0)
    display.update(task, advance=1, bytes=before + result.size)


def _display() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rates(ProgressColumn):
        def render(self, task: Task) -> Text:
            seconds = task.elapsed or 0.001
            rate = task.fields.get("bytes", 0) / seconds
            return Text(f"{task.completed / seconds:.0f} objects/s, {console.byte_size(int(rate))}/s")

    stderr = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rates(), TimeRemainingColumn())
    return Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal)
