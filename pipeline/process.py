"""One job from its source to its end: the order of things, and nothing else.

    fetch → transform → put → record → clean → confirm    (or, where the object is gone:)  unrecord → clean → confirm

No step trusts the message: what is done follows from the object, and from the record as it was before the object was
read. A worker may die after any step; the next delivery goes the same way again and ends in the same state.

Why `confirm` comes last: the same version of an object has the same output keys whenever it is made, and a version that
was replaced can become current again (a newer one is deleted). A worker that deletes outputs of a version must
therefore look afterwards whether that version is back, or whether others have named what it deleted. Which race each
look is for: docs/decisions/concurrent-workers.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.describing import describe
from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.images.formats import FORMATS, sniff
from pipeline.images.transform import Transformed, transform
from pipeline.job import Job, Outcome, Output, OutputWanted, PlacedOutput, Record, Result
from pipeline.keys import output_key, url, version_of
from pipeline.leftovers import abandoned
from pipeline.services import Services
from pipeline.storage import StoredObject
from pipeline.watch import Watch, silent

STEPS = ("fetch", "transform", "put", "record", "unrecord", "clean", "confirm")

#: How often an object may change under our hands before the message goes back to the queue.
ATTEMPTS = 3


def process(job: Job, services: Services, watch: Watch = silent) -> Result:
    """Bring outputs and record of the job's source up to date with the object as it is now.

    Raises SkipError where nothing was left to do and RetryError where a later try may do better. A bad image is no
    error but a Result with a FAILED record, unless the job keeps no record: then RejectError comes through.
    """
    run = _Run(job, services, watch)
    for _ in range(ATTEMPTS):
        result = run.attempt()
        if result:
            return result
    raise RetryError(f"{job.source.key!r} changed {ATTEMPTS} times while it was worked on")


@dataclass
class _Run:
    """One job on its way.

    `replaced`: outputs of every record that it read or was refused to write. `reused`: outputs that it found in place.
    `lost`: outputs that it deleted, or missed. `wait`: seconds until what dead workers left may be deleted.
    """

    job: Job
    services: Services
    watch: Watch
    replaced: set[str] = field(default_factory=set)
    reused: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    wait: float = 0

    def attempt(self) -> Result | None:
        """Go the whole way once; None where object or record changed meanwhile and the way begins again."""
        before = self.services.records.get(self.job.source.key) if self.job.record else None
        self.replaced |= before.output_keys if before else frozenset()
        found = self.fetch()
        if found is None:
            return self.remove(before)
        if before and self.is_done(before, found):
            self.leave(before, found)
            return None
        return self.make(before, found)

    def make(self, before: Record | None, found: StoredObject) -> Result | None:
        made = self.transform(found)
        placed = self.put(found, made.outputs) if isinstance(made, Transformed) else ()
        record = describe(self.job, found, made, placed, self.services)
        if self.job.record and not (self.record(record, before) and self.settle(found, record)):
            return None
        return Result(self.job, record)

    def leave(self, before: Record, found: StoredObject) -> None:
        """Done by somebody else, or by a worker that died before it could say so."""
        if self.settle(found, before, confirm=False):
            raise SkipError("already done")

    def remove(self, before: Record | None) -> Result | None:
        source = self.job.source
        if before:
            deleted = self.services.records.delete(before)
            self.watch("unrecord", {"key": source.key, "accepted": deleted})
            if not deleted:
                return None
        if not self.settle(None, None, confirm=before is not None):
            return None
        if before is None:
            raise SkipError(f"s3://{source.bucket}/{source.key} is gone", code=Code.FILE_DELETED)
        return Result(self.job, None)

    def settle(self, found: StoredObject | None, record: Record | None, *, confirm: bool = True) -> bool:
        """Clean up, and look whether object, record and outputs agree; False means: from the top.

        `confirm=False` where nothing was written: then only a redelivery, or having deleted something, asks for a look.
        """
        self.clean(record)
        if (confirm or self.lost or self.job.deliveries > 1) and not self.confirm(found, record):
            return False
        if self.wait:
            raise RetryError("outputs that nothing names are too young to be deleted", after=self.wait)
        return True

    def fetch(self) -> StoredObject | None:
        source = self.job.source
        found = self.services.storage.get(source.bucket, source.key, max_bytes=self.job.image_options.limits.max_bytes)
        self.watch("fetch", {"key": source.key, "bytes": found.size if found else None})
        if found and found.is_output:
            raise SkipError(f"s3://{source.bucket}/{source.key} is an output of this pipeline")
        return found

    def is_done(self, before: Record, found: StoredObject) -> bool:
        version = (before.version_id, before.etag) == (found.version.version_id, found.version.etag)
        same_options = before.options_hash == self.job.image_options.hash()
        whole = before.outcome is Outcome.DONE and not before.output_keys & self.lost
        return version and same_options and whole and not self.job.force

    def transform(self, found: StoredObject) -> Transformed | RejectError:
        """The images made, or why not: with a record to write, a bad image is a result like any other."""
        options = self.job.image_options
        try:
            if found.data is None:
                raise RejectError(Code.TOO_LARGE, f"{found.size} bytes are more than {options.limits.max_bytes}")
            work = self.services.isolated if self.is_risky(found.data) else transform
            made: Transformed | RejectError = work(found.data, options, decoding=self.services.budget.take)
        except RejectError as error:
            if not self.job.record:
                raise
            made = error
        self.watch("transform", {"key": self.job.source.key, "code": getattr(made, "code", None)})
        return made

    def is_risky(self, data: bytes) -> bool:
        """Whether to decode in a child: on later deliveries, because the image may be what ended the one before."""
        form = sniff(data)
        return self.job.deliveries > 1 or (form is not None and form.isolated)

    def put(self, found: StoredObject, outputs: tuple[Output, ...]) -> tuple[PlacedOutput, ...]:
        wanted = {one.name: one for one in self.job.outputs}
        return tuple(self.put_one(found, wanted[output.name], output) for output in outputs)

    def put_one(self, found: StoredObject, wanted: OutputWanted, output: Output) -> PlacedOutput:
        version = version_of(
            version_id=found.version.version_id, etag=found.version.etag, options_hash=self.job.image_options.hash()
        )
        key = output_key(wanted.folder, self.job.source.key, version, FORMATS[output.format].ext)
        if not self.services.storage.put_output(wanted.bucket, key, output):
            self.reused.add(key)
        self.lost.discard(key)
        self.watch("put", {"key": key, "bytes": len(output.data)})
        address = url(self.services.outputs_url, key)
        return PlacedOutput(output.name, key, address, output.content_type, len(output.data), output.size)

    def record(self, record: Record, before: Record | None) -> bool:
        """Write the record over `before`; where that is refused, what was put belongs to nobody yet."""
        accepted = self.services.records.put(record, replacing=before)
        if not accepted:
            # Our own write may have won although its answer was lost; boto then sent it again and was refused.
            accepted = self.services.records.get(record.image_id) == record
        if not accepted:
            self.replaced |= record.output_keys
        self.watch("record", {"key": record.image_id, "outcome": record.outcome, "accepted": accepted})
        return accepted

    def clean(self, record: Record | None) -> None:
        """Delete the outputs that were displaced on the way, and on a redelivery what dead workers left."""
        if not self.job.record:
            return
        named = record.output_keys if record else frozenset[str]()
        stale = self.replaced - named
        if self.job.deliveries > 1:
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
            unchanged = self.services.records.get(self.job.source.key) == record
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
