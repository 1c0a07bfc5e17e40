"""What the record says of one object version and of what was made of it."""

from __future__ import annotations

from dataclasses import replace

from pipeline.errors import RejectError
from pipeline.images.transform import Transformed
from pipeline.job import Facts, Job, Outcome, PlacedOutput, Record
from pipeline.keys import url
from pipeline.objects import StoredObject
from pipeline.services import Services
from pipeline.version import release

_MAX_REASON = 500


def describe(
    job: Job,
    found: StoredObject,
    made: Transformed | RejectError,
    placed: tuple[PlacedOutput, ...],
    services: Services,
) -> Record:
    """The record of `found`: DONE with the facts of the image and its outputs, or FAILED with a code and a reason."""
    record = Record(
        image_id=job.source.key,
        outcome=Outcome.DONE,
        etag=found.version.etag,
        version_id=found.version.version_id,
        options_hash=job.image_options.hash(),
        processed_at=services.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        original_url=url(services.uploads_url, job.source.key),
        original_bytes=found.size,
        pipeline_version=release(),
        outputs=placed,
    )
    if isinstance(made, RejectError):
        reason = made.reason[:_MAX_REASON]
        return replace(record, outcome=Outcome.FAILED, error_code=made.code, error_message=reason)
    return _with_facts(record, made.facts)


def _with_facts(record: Record, facts: Facts) -> Record:
    return replace(
        record,
        pixel_width=facts.size[0],
        pixel_height=facts.size[1],
        image_format=facts.format,
        content_type=facts.content_type,
        sha256=facts.sha256,
        taken_at=facts.taken_at,
        camera_model=facts.camera_model,
        placeholder=facts.placeholder,
    )
