"""S3 and DynamoDB as far as the pipeline speaks with them, in memory: small, and held by the contract tests."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipeline.job import Output, Record
from pipeline.storage import ObjectVersion, StoredObject


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(microseconds=1)
        return self.time

    def pass_seconds(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass(frozen=True)
class _Stored:
    data: bytes
    version: ObjectVersion
    is_output: bool
    changed: datetime


@dataclass
class MemoryStorage:
    """`pipeline.storage.Storage` over dicts; buckets whose names are in `versioned` give VersionIds."""

    clock: Clock = field(default_factory=Clock)
    versioned: Collection[str] = ("uploads",)
    objects: dict[tuple[str, str], _Stored] = field(default_factory=dict)
    writes: int = 0

    def put(self, bucket: str, key: str, data: bytes, *, is_output: bool = False) -> None:
        """What a user, or a put of ours, does to S3."""
        self.writes += 1
        version_id = f"v{self.writes}" if bucket in self.versioned else None
        version = ObjectVersion(hashlib.md5(data).hexdigest(), version_id)
        self.objects[bucket, key] = _Stored(data, version, is_output, self.clock())

    def remove(self, bucket: str, key: str) -> None:
        self.objects.pop((bucket, key), None)

    def keys(self, bucket: str) -> set[str]:
        return {key for place, key in self.objects if place == bucket}

    def get(self, bucket: str, key: str, *, max_bytes: int) -> StoredObject | None:
        found = self.objects.get((bucket, key))
        if not found:
            return None
        data = found.data if len(found.data) <= max_bytes else None
        return StoredObject(found.version, len(found.data), found.is_output, data)

    def head(self, bucket: str, key: str) -> ObjectVersion | None:
        found = self.objects.get((bucket, key))
        return found.version if found else None

    def put_output(self, bucket: str, key: str, output: Output) -> bool:
        present = self.objects.get((bucket, key))
        if present and present.data == output.data:
            return False
        self.put(bucket, key, output.data, is_output=True)
        return True

    def delete(self, bucket: str, keys: Collection[str]) -> None:
        for key in keys:
            self.remove(bucket, key)

    def list_folder(self, bucket: str, prefix: str) -> Iterator[tuple[str, datetime]]:
        for (place, key), stored in sorted(self.objects.items()):
            if place == bucket and key.startswith(prefix) and "/" not in key[len(prefix) :]:
                yield key, stored.changed


@dataclass
class MemoryRecords:
    """`pipeline.records.Records` over a dict, with the same condition on every write."""

    items: dict[str, Record] = field(default_factory=dict)

    def get(self, image_id: str) -> Record | None:
        return self.items.get(image_id)

    def put(self, record: Record, *, replacing: Record | None) -> bool:
        if self.items.get(record.image_id) != replacing:
            return False
        self.items[record.image_id] = record
        return True

    def delete(self, record: Record) -> bool:
        if self.items.get(record.image_id) != record:
            return False
        del self.items[record.image_id]
        return True
