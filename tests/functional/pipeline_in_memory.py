"""The whole pipeline over S3 and DynamoDB in memory: a bucket to put into, and jobs to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from pipeline.budget import PixelBudget
from pipeline.errors import SkipError
from pipeline.images.options import COMPRESSED, THUMBNAIL
from pipeline.images.transform import Transformed, transform
from pipeline.job import Job, OutputWanted, Record, S3Source
from pipeline.process import process
from pipeline.services import Services
from pipeline.storage import Storage
from pipeline.table.records import Records
from pipeline.watch import Watch, silent
from tests.memory_cloud import MemoryRecords, MemoryStorage

WANTED = (
    OutputWanted("thumbnail", THUMBNAIL, "outputs", "thumbnails"),
    OutputWanted("compressed", COMPRESSED, "outputs", "compressed"),
)


@dataclass
class Pipeline:
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    #: In this process, unless a test is about the child: thousands of redeliveries are cheap.
    isolated: Callable[..., Transformed] = transform
    transform: Callable[..., Transformed] = transform

    @property
    def services(self) -> Services:
        return Services(
            storage=cast(Storage, self.storage),
            records=cast(Records, self.records),
            budget=PixelBudget(64_000_000),
            outputs_bucket="outputs",
            outputs_url="http://127.0.0.1/outputs",
            uploads_url="http://127.0.0.1/uploads",
            function_timeout=120,
            isolated=self.isolated,
            transform=self.transform,
            now=self.storage.clock,
        )

    def upload(self, key: str, data: bytes) -> None:
        self.storage.put("uploads", key, data)

    def run(self, key: str, *, watch: Watch = silent, **job: object) -> Record | None:
        facts: dict[str, Any] = {"outputs": WANTED, **job}
        return process(Job(source=S3Source("uploads", key), **facts), self.services, watch).record

    def run_to_the_end(self, key: str, **job: Any) -> None:
        """The same for a job that may find that nothing is left to do."""
        try:
            self.run(key, **job)
        except SkipError:
            pass

    @property
    def outputs(self) -> set[str]:
        return self.storage.keys("outputs")
