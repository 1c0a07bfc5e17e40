"""The three ways to put an output (`job.Write`), and how each tells that there is nothing left to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.images.formats import FORMATS
from pipeline.job import Job, Output, OutputWanted, Write
from pipeline.keys import output_key, version_of
from pipeline.objects import COMPRESSED, Origin, StoredObject
from pipeline.storage import Storage


@dataclass(frozen=True)
class Placed:
    """Where an output lies now. `fresh`: put there just now. `etag`: the new one of a source that was replaced."""

    bucket: str
    key: str
    fresh: bool = True
    etag: str | None = None


def is_looked_for(job: Job) -> bool:
    """Whether a look at S3 can tell that the job is done; for what is only created, the record tells."""
    return bool(job.outputs) and not job.force and all(wanted.write is not Write.CREATE for wanted in job.outputs)


def is_done(job: Job, wanted: OutputWanted, source: StoredObject, storage: Storage) -> bool:
    """Whether `wanted` was made of `source` as it is, by the same options. `source` may be without its bytes."""
    if wanted.write is Write.REPLACE_IF_MATCH:
        return source.metadata.get(COMPRESSED) == mark_of(job, wanted)
    known = FORMATS[wanted.options.format].ext if wanted.options.format else wanted.extension
    ext = known or _likely_ext(job.source.key)
    present = storage.look(wanted.bucket, _place(job, wanted, source, ext))
    return present is not None and present.is_output and _origin(job, source).is_of(present)


def put(job: Job, wanted: OutputWanted, output: Output, found: StoredObject, storage: Storage) -> Placed:
    """Put `output`, made of `found`, in the way and to the place that `wanted` says."""
    return _WAYS[wanted.write](job, wanted, output, found, storage)


def mark_of(job: Job, wanted: OutputWanted) -> str:
    return wanted.mark or job.image_options.hash()


def _create(job: Job, wanted: OutputWanted, output: Output, found: StoredObject, storage: Storage) -> Placed:
    key = _place(job, wanted, found, FORMATS[output.format].ext)
    return Placed(wanted.bucket, key, storage.put_output(wanted.bucket, key, output))


def _verify(job: Job, wanted: OutputWanted, output: Output, found: StoredObject, storage: Storage) -> Placed:
    source = job.source
    key = _place(job, wanted, found, FORMATS[output.format].ext)

    def is_current() -> bool:
        return storage.head(source.bucket, source.key) == found.version

    fresh = storage.put_verified(wanted.bucket, key, output, _origin(job, found), is_current)
    return Placed(wanted.bucket, key, fresh)


def _replace(job: Job, wanted: OutputWanted, output: Output, found: StoredObject, storage: Storage) -> Placed:
    bucket, key = job.source.bucket, job.source.key
    mark = mark_of(job, wanted)
    version = storage.replace(bucket, key, output, found, mark=mark, keep_headers=wanted.keep_headers)
    return Placed(bucket, key, etag=version.etag)


_WAYS: Mapping[Write, Callable[[Job, OutputWanted, Output, StoredObject, Storage], Placed]] = {
    Write.CREATE: _create,
    Write.VERIFY: _verify,
    Write.REPLACE_IF_MATCH: _replace,
}


def _likely_ext(key: str) -> str:
    """Of an output that keeps its source's format. A source that is not what it is called is looked for in vain, and
    made again; the put then finds that it is there."""
    ending = key.rpartition(".")[2].lower()
    return next((row.ext for row in FORMATS.values() if row.written and row.ext == ending), FORMATS["JPEG"].ext)


def _place(job: Job, wanted: OutputWanted, source: StoredObject, ext: str) -> str:
    if wanted.key is not None:
        return f"{wanted.key}.{ext}" if wanted.extended else wanted.key
    version = version_of(
        version_id=source.version.version_id,
        etag=source.version.etag,
        options_hash=job.image_options.hash(),
        output=wanted.name if wanted.shares_folder else "",
    )
    return output_key(wanted.folder, job.source.key, version, ext)


def _origin(job: Job, source: StoredObject) -> Origin:
    return Origin.of(job.source.bucket, job.source.key, source.version, job.image_options.hash())
