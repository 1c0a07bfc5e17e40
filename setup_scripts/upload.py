"""A whole folder: in parallel to the bucket, then one record for each image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cli import console
from cli.aws import CONNECTIONS, Aws
from cli.aws_words import EXPIRED, FORBIDDEN, UNKNOWN, is_refused_head
from cli.connection import Connection
from cli.exits import explain
from cli.queue_counts import in_flight, waiting
from setup_scripts.folder import LocalImage, default_folder, read_folder
from setup_scripts.following import IDLE, IDLE_ON_AWS, follow, records
from setup_scripts.results import NO_RESULT, NOT_SENT, SENT, ImageResult
from setup_scripts.sending import Item, Sender, Sent, Way

T = TypeVar("T")
_ADVICE = "look at `python status.py`; run the same command again to send it again"


@dataclass(frozen=True)
class Upload:
    """`force`: images that are done already are done again."""

    aws: Aws
    sender: Sender
    table: str
    force: bool

    @classmethod
    def of(cls, connection: Connection, *, force: bool) -> Upload:
        bucket = connection.resources.require("images-bucket", "setup.py")
        queue_url = connection.resources.require("messages-queue", "setup.py")
        table = connection.resources.require("dynamodb-table", "setup.py")
        # The last that an image needs: where setup ended before it, nobody would answer.
        connection.resources.require("event-source-uuid", "setup.py")
        return cls(connection.aws, Sender(connection.aws, bucket, queue_url), table, force)

    def upload(self, folder: Path | None, *, wait: bool) -> list[ImageResult]:
        """Send the images of `folder` that need it; results in order of key."""
        found = read_folder(folder or default_folder())
        if found.ignored:
            more = f" and {len(found.ignored) - 1} more" if len(found.ignored) > 1 else ""
            console.say(f"Left out, being no image: {found.ignored[0].name}{more}")
        items = self._records([image.key for image in found.images if _is_text(image.key)])

        def send(image: LocalImage) -> Sent:
            return self.sender.send(image, items.get(image.key), force=self.force)

        return self._process([(image.key, image) for image in found.images], send, items, wait=wait)

    def announce_all(self, folder: Path | None, *, wait: bool) -> list[ImageResult]:
        """Send a message for every object in the bucket, or for those that `folder` has too."""
        return self._announce(list(self._keys_in_bucket()), folder, wait=wait)

    def announce_failed(self, folder: Path | None, *, wait: bool) -> list[ImageResult]:
        """Send a message for every image whose record is FAILED, or for those of them that `folder` has too."""
        from pipeline.table.failures import failures

        failed = [failure.image_id for failure in failures(self.aws.dynamodb, self.table)]
        return self._announce(failed, folder, wait=wait)

    def _announce(self, keys: list[str], folder: Path | None, *, wait: bool) -> list[ImageResult]:
        if folder is not None:
            local = {image.key for image in read_folder(folder).images}
            keys = [key for key in keys if key in local]
        items = self._records(keys)

        def send(key: str) -> Sent:
            return self.sender.announce(self.sender.look_up(key), items.get(key), force=True)

        return self._process([(key, key) for key in keys], send, items, wait=wait)

    def _records(self, keys: Sequence[str]) -> dict[str, Item]:
        return records(self.aws, self.table, keys)

    def _keys_in_bucket(self) -> Iterator[str]:
        for page in self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.sender.bucket):
            yield from (entry["Key"] for entry in page.get("Contents", []))

    def _process(
        self, work: Sequence[tuple[str, T]], send: Callable[[T], Sent], items: dict[str, Item], *, wait: bool
    ) -> list[ImageResult]:
        """Send everything in `work` (key and what `send` takes), then follow what was sent."""
        sent, failures = self._send_all(work, send)
        done = [one for one in sent if one.way is Way.UNCHANGED]
        results = [ImageResult.from_record(one.key, one.way, items[one.key]) for one in done]
        pending = [one for one in sent if one.way is not Way.UNCHANGED]
        answers = self._follow(pending) if wait else {}
        for one in pending:
            results.append(_result(one, answers.get(one.key), wait=wait))
        return sorted([*results, *failures], key=lambda result: result.image)

    def _send_all(
        self, work: Sequence[tuple[str, T]], send: Callable[[T], Sent]
    ) -> tuple[list[Sent], list[ImageResult]]:
        sent: list[Sent] = []
        failures: list[ImageResult] = []
        with console.progress() as progress, ThreadPoolExecutor(CONNECTIONS) as pool:
            task = progress.add_task("Uploading", total=len(work))
            futures = {pool.submit(send, value): key for key, value in work}
            try:
                for future in as_completed(futures):
                    _collect(future, futures[future], sent, failures)
                    progress.advance(task)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return sent, failures

    def _follow(self, pending: Sequence[Sent]) -> dict[str, Item]:
        with console.progress() as progress:
            task = progress.add_task("Processing", total=len(pending))
            return follow(
                pending,
                read=self._records,
                is_queue_empty=self._is_queue_empty,
                advance=lambda count: progress.advance(task, count),
                idle=IDLE_ON_AWS if self.aws.target.is_aws else IDLE,
            )

    def _is_queue_empty(self) -> bool:
        sqs, url = self.aws.sqs, self.sender.queue_url
        return waiting(sqs, url) + in_flight(sqs, url) == 0


def _collect(future: Future[Sent], key: str, sent: list[Sent], failures: list[ImageResult]) -> None:
    try:
        sent.append(future.result())
    except Exception as error:
        if _stops_everything(error):
            raise
        fault = explain(error)
        reason = fault.text if fault else str(error)
        failures.append(ImageResult(image=key, outcome=NOT_SENT, reason=reason))


def _stops_everything(error: Exception) -> bool:
    """Whether every further image would meet the same: credentials, not this file; or a bug of ours."""
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        return code in EXPIRED | UNKNOWN | FORBIDDEN or is_refused_head(error)
    return not isinstance(error, (OSError, ValueError, ConnectionError, HTTPClientError))


def _result(one: Sent, item: Item | None, *, wait: bool) -> ImageResult:
    if item is not None:
        return ImageResult.from_record(one.key, one.way, item)
    if not wait:
        return ImageResult(image=one.key, outcome=SENT, way=one.way.value)
    return ImageResult(image=one.key, outcome=NO_RESULT, way=one.way.value, reason=_ADVICE)


def _is_text(key: str) -> bool:
    """Whether a key can be said in UTF-8; a file name on disk may hold any byte."""
    try:
        return bool(key.encode())
    except UnicodeEncodeError:
        return False
