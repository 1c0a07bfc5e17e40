"""Many objects at once: workers stage them, one committer removes what is staged, and memory has its bounds.

The committer takes whatever waits for it as one batch. One fsync of a folder and of the journal, and one request to S3,
then serve them all; the order holds for each of them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bulk.drain.allowance import Allowance
from bulk.drain.listing import Candidate
from bulk.drain.order import Drainer
from bulk.drain.outcomes import REMOVED, AgainError, KeepError, Outcome
from bulk.drain.removal import refuses_everything
from bulk.drain.results import Result, Staged
from bulk.drain.rounds import Receipt, Rounds, Work
from bulk.drain.stream import StoppedError
from pipeline.errors import RetryError

_BATCH = 250
_GLANCE = 0.2


class Crew:
    """As many workers as are asked for, until the work is done, `stop` is set or something fails; `tell` as Rounds'."""

    def __init__(
        self,
        drainer: Drainer,
        workers: int,
        allowance: Allowance,
        stop: threading.Event,
        tell: Callable[[Result], None],
    ) -> None:
        self._drainer, self._allowance, self._stop = drainer, allowance, stop
        self._rounds = Rounds(allowance, tell)
        self._work: queue.Queue[Work | None] = queue.Queue(2 * workers)
        self._staged: queue.Queue[tuple[Staged, Receipt] | None] = queue.Queue(2 * _BATCH)
        # Daemons: whoever presses Ctrl-C a second time waits for nobody, and no moment is a bad one to die.
        self._workers = [
            threading.Thread(target=self._guarded, args=(self._serve,), daemon=True) for _ in range(workers)
        ]
        self._committer = threading.Thread(target=self._guarded, args=(self._commit_all,), daemon=True)
        self._fault: BaseException | None = None

    def drain(self, works: Iterable[Work]) -> None:
        """Drain everything, with further rounds for what may go better then; raises what ended the run early."""
        for thread in (self._committer, *self._workers):
            thread.start()
        try:
            self._feed(works)
            while works := self._rounds.next():
                self._feed(works)
        except BaseException as error:
            # What a worker has met may have ended the listing, too.
            self._fault = self._fault or error
            self._stop.set()
        finally:
            self._dismiss()
        if self._fault:
            raise self._fault
        self._rounds.require_removals(least=1)

    def _feed(self, works: Iterable[Work]) -> None:
        for work in works:
            if self._stop.is_set() or self._allowance.is_used_up:
                break
            self._rounds.begin(work)
            self._put(work)
        self._rounds.finish(self._stop)

    def _put(self, work: Work) -> None:
        while not self._stop.is_set():
            try:
                return self._work.put(work, timeout=_GLANCE)
            except queue.Full:
                continue

    def _dismiss(self) -> None:
        for _ in self._workers:
            _put_end(self._work, self._workers)
        for worker in self._workers:
            worker.join()
        _put_end(self._staged, [self._committer])
        self._committer.join()

    def _guarded(self, serve: Callable[[], None]) -> None:
        try:
            serve()
        except StoppedError:
            pass
        except BaseException as error:
            self._fault = self._fault or error
            self._stop.set()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None and not self._stop.is_set():
            self._drain_key(work)

    def _drain_key(self, work: Work) -> None:
        """The versions of one key in turn: a newer one is begun when the older one is removed."""
        for number, candidate in enumerate(work):
            if not self._allowance.take(self._stop):
                self._rounds.leave(work[number:], "the allowed number of removals is reached")
                return
            receipt = Receipt(work[number + 1 :])
            self._begin(candidate, receipt)
            if len(work) > 1 and receipt.wait(self._stop).outcome not in REMOVED:
                if not receipt.is_put_off:
                    self._rounds.leave(receipt.newer, "an older version is left, too")
                return

    def _begin(self, candidate: Candidate, receipt: Receipt) -> None:
        try:
            if candidate.is_marker:
                return self._rounds.end(self._drainer.remove_marker(candidate), receipt)
            if candidate.version_id is None and not self._rounds.is_first:
                candidate = self._drainer.refreshed(candidate)
            self._hand_over(self._drainer.stage(candidate), receipt)
        except (KeepError, AgainError) as error:
            self._rounds.end(Result.of(candidate, error), receipt)
        except RetryError as error:
            if refuses_everything(error):
                raise
            self._rounds.end(Result(candidate, Outcome.FAILED, candidate.size, error.reason, again=True), receipt)

    def _hand_over(self, staged: Staged, receipt: Receipt) -> None:
        while True:
            try:
                return self._staged.put((staged, receipt), timeout=_GLANCE)
            except queue.Full:
                if not self._committer.is_alive():
                    raise StoppedError from None

    def _commit_all(self) -> None:
        ended = False
        while not ended:
            waiting = [self._staged.get()]
            while len(waiting) < _BATCH and not self._staged.empty():
                waiting.append(self._staged.get())
            batch = {one[0].candidate: one for one in waiting if one}
            ended = len(batch) < len(waiting)
            if self._fault:
                return
            for result in self._drainer.commit([staged for staged, _ in batch.values()]):
                self._rounds.end(result, batch[result.candidate][1])
            self._rounds.require_removals()


def _put_end(line: queue.Queue[Any], readers: Sequence[threading.Thread]) -> None:
    while any(reader.is_alive() for reader in readers):
        try:
            return line.put(None, timeout=_GLANCE)
        except queue.Full:
            continue
