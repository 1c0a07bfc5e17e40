"""Uploads images, so many on their way at any time, and looks into the gallery's API until each is there."""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Seconds between two looks into the gallery: so much too late may an image be found there.
PAUSE = 0.1
PATIENCE = 120.0


@dataclass(frozen=True)
class Seen:
    """One image, with the Unix times of its upload's beginning and of the answer that showed it."""

    key: str
    sent: float
    seen: float


class Gallery:
    """Its newest images, asked for again and again by one thread for all who wait."""

    def __init__(self, address: str, newest: int) -> None:
        self._address = f"{address.rstrip('/')}/images?limit={min(200, newest)}"
        self._seen: dict[str, float] = {}
        self._changed = threading.Condition()
        self._ended = threading.Event()

    def wait_for(self, key: str) -> float:
        """When it was seen."""
        with self._changed:
            if not self._changed.wait_for(lambda: key in self._seen, PATIENCE):
                raise SystemExit(f"{key} is not in the gallery after {PATIENCE:.0f} s")
            return self._seen[key]

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _look(self) -> None:
        while not self._ended.wait(PAUSE):
            with urllib.request.urlopen(self._address, timeout=60) as answer:
                images = json.loads(answer.read())["images"]
            now = time.time()
            with self._changed:
                for image in images:
                    self._seen.setdefault(image["ImageID"], now)
                self._changed.notify_all()


def load(
    s3: S3Client, bucket: str, address: str, pictures: Sequence[bytes], *, prefix: str, parallel: int, seconds: float
) -> list[Seen]:
    """Begin uploads for so many `seconds`, each thread its next when its last is in the gallery; wait for them all."""
    gallery = Gallery(address, 2 * parallel + 8)
    numbers, stop = itertools.count(), time.monotonic() + seconds

    def go_on(_: int) -> Iterator[Seen]:
        while time.monotonic() < stop:
            number = next(numbers)
            key, sent = f"{prefix}/{number:05}.jpg", time.time()
            s3.put_object(Bucket=bucket, Key=key, Body=pictures[number % len(pictures)], ContentType="image/jpeg")
            yield Seen(key, sent, gallery.wait_for(key))

    with gallery.looked_at(), ThreadPoolExecutor(parallel) as pool:
        return [one for found in pool.map(lambda at: list(go_on(at)), range(parallel)) for one in found]
