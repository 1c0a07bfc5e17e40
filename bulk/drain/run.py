"""One run, put together from what was asked for."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bulk.drain.allowance import Allowance
from bulk.drain.bucket import Bucket
from bulk.drain.crew import Crew
from bulk.drain.download import Downloader
from bulk.drain.order import Drainer, Watch
from bulk.drain.own_folder import LOG, own_folder
from bulk.drain.paths import OWN_FOLDER
from bulk.drain.places import Places
from bulk.drain.processed import ProcessedFolder
from bulk.drain.quarantine import Quarantine
from bulk.drain.rate import Rate
from bulk.drain.report import Report, progress
from bulk.drain.selection import Selection
from bulk.drain.settings import Wanted
from bulk.drain.stream import SLOWEST, Line
from cli import console
from cli.exits import Exit


@dataclass(frozen=True)
class Run:
    """`arguments` are those of the command that are not in `wanted` and `selection`."""

    arguments: argparse.Namespace
    wanted: Wanted
    bucket: Bucket
    selection: Selection
    watch: Watch
    sync: Callable[[int], None] | None
    stop: threading.Event

    def drain(self) -> int:
        """Drain, report, also where it ends early; the exit code."""
        report = Report()
        log = self.wanted.local_base_path / OWN_FOLDER / LOG
        with self._drainer() as drainer:
            allowance = Allowance(self.arguments.max_delete)
            crew = Crew(drainer, self.arguments.workers, allowance, self.stop, report.add)
            try:
                with progress(report, lambda: self.selection.count()[0]):
                    crew.drain(self.selection)
            finally:
                with console.heard_or_not():
                    report.print(as_json=self.arguments.json, log=str(log))
        return Exit.SOME_FAILED if report.kept else Exit.DONE

    @contextmanager
    def _drainer(self) -> Iterator[Drainer]:
        processed, prefix = self.wanted.processed_path, self.arguments.quarantine_prefix
        downloader = self._downloader()
        with own_folder(self.wanted.local_base_path, self.sync) as (tree, journal, log):
            yield Drainer(
                bucket=self.bucket,
                places=Places(self.bucket, tree, downloader),
                downloader=downloader,
                processed=ProcessedFolder(processed) if processed else None,
                processed_by_size=self.arguments.processed_match == "size",
                quarantine=Quarantine(self.bucket, prefix) if prefix else None,
                journal=journal,
                log=log,
                watch=self.watch,
            )

    def _downloader(self) -> Downloader:
        rate = self.arguments.rate_limit
        line = Line(
            bucket=self.bucket,
            rate=Rate(rate, clock=time.monotonic, sleep=self.stop.wait),
            clock=time.monotonic,
            sleep=self.stop.wait,
            is_stopped=self.stop.is_set,
            slowest=min(SLOWEST, rate / self.arguments.workers / 2) if rate else SLOWEST,
        )
        return Downloader(
            line=line,
            twice=self.arguments.verify == "twice",
            newest=self.selection.newest,
            streamed=lambda key: self.watch("streamed", key),
        )
