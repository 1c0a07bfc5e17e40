"""What each step of a job does; which comes after which is `process.py`'s to say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pipeline import writing
from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.images.formats import sniff
from pipeline.images.transform import Transformed
from pipeline.job import Job, Outcome, Output, OutputWanted, PlacedOutput, Record
from pipeline.keys import output_folder, url
from pipeline.leftovers import abandoned
from pipeline.objects import StoredObject, is_archived
from pipeline.services import Services
from pipeline.table.records import Records
from pipeline.watch import Watch


@dataclass
class Steps:
    """One job on its way.

    `replaced`: outputs of every record that it read or was refused to write. `reused`: outputs that it found in place.
    `lost`: outputs that it deleted, or missed. `search`: outputs may lie there that no record names. `wait`: seconds
    until what dead workers left may be deleted.
    """

    job: Job
    services: Services
    watch: Watch
    replaced: set[str] = field(default_factory=set)
    reused: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    search: bool = False
    wait: float = 0

    @property
    def records(self) -> Records:
        if self.services.records is None:
            raise ValueError("a job that keeps a record needs a table")
        return self.services.records

    def look(self) -> None:
        """SkipError where the marks on source and outputs say that all is done: then nothing is fetched."""
        if not writing.is_looked_for(self.job):
            return
        source, storage = self.job.source, self.services.storage
        present = storage.look(source.bucket, source.key)
        if present is None:
            # HEAD cannot say whether the object or its bucket is missing: `fetch` can.
            return
        done = all(writing.is_done(self.job, wanted, present, storage) for wanted in self.job.outputs)
        self.watch("look", {"key": source.key, "bytes": present.size, "etag": present.version.etag, "done": done})
        if done:
            raise SkipError("already done")

    def fetch(self) -> StoredObject | None:
        found = self.read()
        form = sniff(found.data) if found and found.data else None
        facts = {
            "key": self.job.source.key,
            "bytes": found.size if found else None,
            "format": form.name if form else None,
        }
        self.watch("fetch", facts)
        return found

    def read(self) -> StoredObject | None:
        """The object with its bytes; without them where it lies in an archive and a record can say so."""
        source, storage = self.job.source, self.services.storage
        try:
            return storage.get(source.bucket, source.key, max_bytes=self.job.limits.max_bytes)
        except RetryError as error:
            if not (self.job.record and is_archived(error)):
                raise
        present = storage.look(source.bucket, source.key)
        return replace(present, is_archived=True) if present else None

    def gone(self) -> SkipError:
        source = self.job.source
        return SkipError(f"s3://{source.bucket}/{source.key} is gone", code=Code.FILE_DELETED)

    def made_here(self) -> SkipError:
        source = self.job.source
        return SkipError(f"s3://{source.bucket}/{source.key} is an output of this pipeline")

    def is_done(self, before: Record, found: StoredObject) -> bool:
        version = (before.version_id, before.etag) == (found.version.version_id, found.version.etag)
        same_options = before.options_hash == self.job.image_options.hash()
        whole = self.is_whole(before) and not before.output_keys & self.lost
        # What cannot be read cannot be made anew either.
        as_wanted = found.is_archived or (same_options and not self.job.force)
        return version and whole and as_wanted

    def is_whole(self, record: Record) -> bool:
        """Whether it names outputs, and none but those of this source: users may have edited it."""
        return record.outcome is Outcome.DONE and record.output_keys == self.own_outputs(record)

    def own_outputs(self, record: Record) -> frozenset[str]:
        """Those of its outputs that lie where this source has its own: users may have copied another image's record."""
        folders = {output_folder(wanted.folder, self.job.source.key) for wanted in self.job.outputs}
        return frozenset(key for key in record.output_keys if key.rpartition("/")[0] + "/" in folders)

    def transform(self, found: StoredObject) -> Transformed | RejectError:
        """The images made, or why not: with a record to write, a bad image is a result like any other."""
        options, told = self.job.image_options, {"key": self.job.source.key}
        try:
            if found.is_archived:
                raise RejectError(Code.ARCHIVED)
            if found.data is None:
                raise RejectError(Code.TOO_LARGE, f"{found.size} bytes are more than {options.limits.max_bytes}")
            work = self.services.isolated if self.is_risky(found.data) else self.services.transform
            made = work(found.data, options, decoding=self.services.budget.take)
        except RejectError as error:
            if not self.job.record:
                raise
            self.watch("transform", told | {"code": error.code, "left_out": ()})
            return error
        self.watch("transform", told | {"code": None, "left_out": made.left_out})
        return made

    def is_risky(self, data: bytes) -> bool:
        """Whether to decode in a child: on later deliveries, because the image may be what ended the one before."""
        form = sniff(data)
        return self.job.deliveries > 1 or (form is not None and form.isolated)

    def put(self, found: StoredObject, outputs: tuple[Output, ...]) -> tuple[PlacedOutput, ...]:
        wanted = {one.name: one for one in self.job.outputs}
        return tuple(self.put_one(found, wanted[output.name], output) for output in outputs)

    def put_one(self, found: StoredObject, wanted: OutputWanted, output: Output) -> PlacedOutput:
        placed = writing.put(self.job, wanted, output, found, self.services.storage)
        if not placed.fresh:
            self.reused.add(placed.key)
        self.lost.discard(placed.key)
        self.watch("put", {"key": placed.key, "bytes": len(output.data), "etag": placed.etag})
        address = url(self.services.outputs_url or f"s3://{placed.bucket}", placed.key)
        return PlacedOutput(output.name, placed.key, address, output.content_type, len(output.data), output.size)

    def record(self, record: Record, before: Record | None) -> bool:
        """Write the record over `before`; where that is refused, what was put belongs to nobody yet."""
        accepted = self.records.put(record, replacing=before)
        if not accepted:
            # Our own write may have won although its answer was lost; boto then sent it again and was refused.
            accepted = self.records.get(record.image_id) == record
        if not accepted:
            self.replaced |= record.output_keys
        self.watch("record", {"key": record.image_id, "outcome": record.outcome, "accepted": accepted})
        return accepted

    def unrecord(self, before: Record) -> bool:
        deleted = self.records.delete(before)
        self.watch("unrecord", {"key": self.job.source.key, "accepted": deleted})
        return deleted

    def clean(self, record: Record | None) -> None:
        """Delete the outputs that were displaced on the way; on a redelivery, where everything is to be done again,
        or where no record told of them, also what is left besides."""
        named = record.output_keys if record else frozenset[str]()
        stale = self.replaced - named
        if self.job.deliveries > 1 or self.job.force or self.search:
            left = abandoned(self.job, self.services, known=named | stale)
            self.wait = left.wait
            stale |= left.keys
        if stale:
            self.services.storage.delete(self.services.outputs_bucket, stale)
            self.replaced -= stale
            self.lost |= stale
            self.watch("clean", {"key": self.job.source.key, "deleted": sorted(stale)})

    def confirm(self, found: StoredObject | None, record: Record | None) -> bool:
        """Whether the object is still the one that was read, and the record and its outputs are as they should be."""
        current = self.services.storage.head(self.job.source.bucket, self.job.source.key)
        unchanged = current == (found.version if found else None)
        # Who deletes may have deleted what another worker has named since.
        if unchanged and self.lost:
            unchanged = self.records.get(self.job.source.key) == record
        # Who finds an output in place may see it deleted by another worker before the record names it; and a worker
        # that died after deleting could not look.
        if unchanged and record and (self.reused or self.job.deliveries > 1):
            self.lost |= self.missing(record)
            unchanged = not record.output_keys & self.lost
        self.watch("confirm", {"key": self.job.source.key, "unchanged": unchanged})
        return unchanged

    def missing(self, record: Record) -> set[str]:
        head = self.services.storage.head
        return {key for key in record.output_keys if head(self.services.outputs_bucket, key) is None}
