"""S3 and DynamoDB as far as the pipeline speaks with them, in memory: small, and held by the contract tests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.job import Output, Record
from pipeline.objects import COMPRESSED, SOURCE, ObjectVersion, Origin, StoredObject


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
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass
class MemoryStorage:
    """`pipeline.storage.Storage` over dicts; buckets whose names are in `versioned` give VersionIds.

    Objects whose keys are in `archived` cannot be read.
    """

    clock: Clock = field(default_factory=Clock)
    versioned: Collection[str] = ("uploads",)
    objects: dict[tuple[str, str], _Stored] = field(default_factory=dict)
    writes: int = 0
    archived: set[str] = field(default_factory=set)

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
        present = self.look(bucket, key)
        if present and key in self.archived:
            refused = ClientError({"Error": {"Code": "InvalidObjectState"}}, "GetObject")
            raise RetryError("InvalidObjectState") from refused
        return replace(present, data=found.data) if found and present and present.size <= max_bytes else present

    def look(self, bucket: str, key: str) -> StoredObject | None:
        found = self.objects.get((bucket, key))
        if not found:
            return None
        return StoredObject(found.version, len(found.data), found.is_output, None, found.metadata)

    def head(self, bucket: str, key: str) -> ObjectVersion | None:
        found = self.objects.get((bucket, key))
        return found.version if found else None

    def put_output(self, bucket: str, key: str, output: Output) -> bool:
        present = self.objects.get((bucket, key))
        if present and present.data == output.data:
            return False
        self.put(bucket, key, output.data, is_output=True)
        return True

    def put_verified(
        self, bucket: str, key: str, output: Output, origin: Origin, is_current: Callable[[], bool]
    ) -> bool:
        present = self.look(bucket, key)
        if present and origin.is_of(present):
            return False
        if present and not (present.is_output and present.metadata.get(SOURCE) == origin.source):
            raise RejectError(Code.CONFLICT, f"s3://{bucket}/{key} is already there")
        if present and not is_current():
            raise RetryError(f"{origin.source} changed while it was worked on")
        self.put(bucket, key, output.data, is_output=True)
        self._describe(bucket, key, origin.metadata)
        if present and not is_current():
            raise RetryError(f"{origin.source} changed while it was worked on")
        return True

    def replace(
        self, bucket: str, key: str, output: Output, found: StoredObject, *, mark: str, keep_headers: bool
    ) -> ObjectVersion:
        present = self.look(bucket, key)
        if present is None:
            raise SkipError("removed", code=Code.FILE_DELETED)
        if present.version.etag != found.version.etag:
            raise SkipError("overwritten", code=Code.CONFLICT)
        self.put(bucket, key, output.data)
        self._describe(bucket, key, {**(found.metadata if keep_headers else {}), COMPRESSED: mark})
        return self.objects[bucket, key].version

    def _describe(self, bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        self.objects[bucket, key] = replace(self.objects[bucket, key], metadata=metadata)

    def delete(self, bucket: str, keys: Collection[str]) -> None:
        for key in keys:
            self.remove(bucket, key)

    def list_folder(self, bucket: str, prefix: str) -> Iterator[tuple[str, datetime]]:
        for (place, key), stored in sorted(self.objects.items()):
            if place == bucket and key.startswith(prefix) and "/" not in key[len(prefix) :]:
                yield key, stored.changed


@dataclass
class MemoryRecords:
    """`pipeline.table.records.Records` over a dict, with the same condition on every write."""

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
