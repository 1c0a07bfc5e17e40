"""One run over a list: rows in, images compressed, journal and log written, failures tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bulk.compress.cluster import Map
from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.outcome import UNFINISHED, Done, Outcome
from bulk.csv_rows import Omitted, Row
from cli.exits import CommandError, Exit

#: Seconds before each further try of what could not be finished: services that are busy recover in such times.
PAUSES = (1.0, 5.0, 15.0, 30.0)

Tell = Callable[[Done], None]


@dataclass(frozen=True)
class Run:
    """What a run works with. `compress` does many rows at once; `tell` is told of every image that has ended."""

    journal: Journal
    log: Log
    compress: Map
    tell: Tell = lambda done: None
    sleep: Callable[[float], None] = time.sleep

    def all(self, rows: Iterator[Row | Omitted]) -> None:
        """Everything on the list that the journal does not know; what it knows was done by a run that was stopped."""
        self.journal.begin()
        self._pass(self._to_do(rows))
        self._try_again()
        self.journal.finish()

    def failed(self) -> None:
        """Only what failed in the run before."""
        if not self.journal.count():
            raise CommandError(
                f"there is nothing to try again: {self.journal.path} tells of no run with this command and this list"
            )
        if not self.journal.is_finished:
            text = "the run before did not come to its end: run the same command without --retry_failed, and it goes on"
            raise CommandError(text, Exit.SOME_FAILED)
        self._pass(self.journal.rows(Outcome.FAILED))
        self._try_again()

    def _to_do(self, rows: Iterator[Row | Omitted]) -> Iterator[Row]:
        for row in rows:
            if isinstance(row, Omitted):
                self._omit(row)
            elif not self.journal.has(row):
                yield row

    def _omit(self, row: Omitted) -> None:
        self.journal.omit(row)
        self.log.say(f"Line {row.line} of the list was left out, {row.reason}: {row.text}", "WARNING")

    def _pass(self, rows: Iterator[Row], *, alone: bool = False) -> None:
        for done in self.compress(rows):
            if alone and done.outcome is Outcome.SUSPECT:
                done = replace(done, outcome=Outcome.FAILED)
            if done.lines:
                self.log.write(done.lines)
            else:
                # Its worker died before it could tell of the image.
                self.log.say(f"Could not finish {done.key}: {done.reason}", "WARNING")
            self.journal.write(done)
            self.tell(done)
            if done.stop:
                raise done.stop

    def _try_again(self) -> None:
        for pause in PAUSES:
            left = self.journal.count(*UNFINISHED)
            if not left:
                return
            self.log.say(f"{left} images could not be finished, and are tried again in {pause:g} s")
            self.sleep(pause)
            self._pass(self.journal.rows(Outcome.RETRY))
            for row in self.journal.rows(Outcome.SUSPECT):
                self._pass(iter([row]), alone=True)
        self.journal.give_up()
