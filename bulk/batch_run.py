"""All images of one batch: side by side, what failed for a passing reason again at the end, and stopped when told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from botocore.exceptions import ClientError

from bulk.batch_results import DONE, FAILED, GAVE_UP, Row
from bulk.output_layout import output_place
from cli.aws_words import EXPIRED
from pipeline.aws_errors import code_of
from pipeline.batch.file_list import source_of
from pipeline.batch.settings import BatchSettings
from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.images.options import COMPRESSED
from pipeline.job import Job, OutputWanted, Write
from pipeline.process import process
from pipeline.services import Services

#: Seconds before the images for which S3 had no good answer are tried again.
PAUSES = (1.0, 3.0, 10.0, 30.0)
#: Seconds that images in work have to come to an end, once the job is to stop.
GRACE = 18.0


@dataclass
class _Told:
    """What `process` tells of one image on its way."""

    is_done: bool = False
    key: str | None = None
    bytes_before: int | None = None
    bytes_after: int | None = None

    def __call__(self, step: str, facts: Mapping[str, object]) -> None:
        if step == "look":
            self.is_done = bool(facts["done"])
        if step in ("look", "fetch"):
            self.bytes_before = cast(int | None, facts["bytes"])
        if step == "put":
            self.key, self.bytes_after = str(facts["key"]), cast(int, facts["bytes"])


@dataclass
class BatchRun:
    """`report` is told of each image once its end is known, from any thread; `stop` may be set at any time.

    `extensions`: image → the ending of the output that it had before, where its own name does not tell.
    `suspicious`: an earlier attempt died without a word, perhaps of an image: then all are decoded in children.
    `suspects`: at these an earlier job hung: then they are, at least.
    `expired`: what S3 said when the credentials were over. Then nothing can be read or written: it sets `stop` itself.
    """

    services: Services
    settings: BatchSettings
    report: Callable[[Row], None]
    stop: threading.Event
    workers: int
    extensions: Mapping[str, str] = field(default_factory=dict)
    suspicious: bool = False
    suspects: Collection[str] = ()
    grace: float = GRACE
    pauses: Sequence[float] = PAUSES
    expired: RetryError | None = None
    _again: list[tuple[str, RetryError]] = field(default_factory=list)
    _at_work: set[str] = field(default_factory=set)

    @property
    def hung(self) -> tuple[str, ...]:
        """After a run that was stopped: images that did not come to their end in its grace."""
        return tuple(sorted(self._at_work))

    def run(self, images: Iterable[str]) -> bool:
        """Whether every image came to an end; False where the run was stopped before."""
        waiting = list(dict.fromkeys(images))
        for pause in (*self.pauses, None):
            self._again = []
            if not self._round(waiting):
                return False
            waiting = [image for image, _ in self._again]
            if not waiting or pause is None:
                break
            if self.stop.wait(pause):
                return False
        for image, error in self._again:
            self.report(Row(image=image, outcome=FAILED, code=GAVE_UP, reason=error.reason))
        return True

    def _round(self, images: Sequence[str]) -> bool:
        """Each of `images` once; False where the run was stopped before its end."""
        queue, lock = iter(images), threading.Lock()
        threads = [threading.Thread(target=self._work, args=(queue, lock), daemon=True) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        left = self._wait_for(threads)
        return not left and next(queue, None) is None

    def _wait_for(self, threads: Sequence[threading.Thread]) -> bool:
        """Whether some thread is still at work, although it was told to stop, when the grace is over."""
        end: float | None = None
        while alive := [thread for thread in threads if thread.is_alive()]:
            if self.stop.is_set():
                end = end or time.monotonic() + self.grace
                if time.monotonic() >= end:
                    return True
            alive[0].join(0.1)
        return False

    def _work(self, queue: Iterable[str], lock: threading.Lock) -> None:
        images = iter(queue)
        while not self.stop.is_set():
            with lock:
                image = next(images, None)
            if image is None:
                return
            self._at_work.add(image)
            row = self._one(image)
            self._at_work.discard(image)
            if row:
                self.report(row)

    def _one(self, image: str) -> Row | None:
        """The end of one image, or None where it has to be tried again."""
        told = _Told()
        try:
            process(self._job(image), self.services, told)
        except SkipError as skip:
            if not told.is_done:
                return _failed(image, skip.code or "SKIPPED", skip.reason)
        except RejectError as reject:
            return _failed(image, reject.code, reject.reason)
        except RetryError as error:
            if isinstance(error.__cause__, ClientError) and code_of(error.__cause__) in EXPIRED:
                self.expired = error
                self.stop.set()
            self._again.append((image, error))
            return None
        except Exception as error:
            # A bug, on this image; a thread that died of it would leave the others unmentioned.
            self._again.append((image, RetryError(f"{error!r}")))
            return None
        return Row(
            image=image, outcome=DONE, key=told.key, bytes_before=told.bytes_before, bytes_after=told.bytes_after
        )

    def _job(self, image: str) -> Job:
        try:
            source = source_of(image)
        except ValueError as error:
            raise RejectError(Code.INVALID_MESSAGE, str(error)) from error
        wanted = OutputWanted(
            "compressed",
            COMPRESSED,
            self.settings.out_bucket,
            key=output_place(self.settings, source),
            extended=True,
            extension=self.extensions.get(image, ""),
            write=Write.VERIFY,
        )
        risky = self.suspicious or image in self.suspects
        return Job(source=source, outputs=(wanted,), record=False, deliveries=2 if risky else 1)


def _failed(image: str, code: str, reason: str) -> Row:
    return Row(image=image, outcome=FAILED, code=str(code), reason=reason)
