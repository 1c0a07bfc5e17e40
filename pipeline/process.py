"""One job from its source to its end: the order of things, and nothing else.

    fetch → transform → put → record → clean → confirm    (or, where no image is left:)  unrecord → clean → confirm
    look → fetch → transform → put                        for a job that keeps no record
    fetch → transform → put → notify                      for a message with URLs (`image_service/answering.py`)

No step trusts the message: what is done follows from the object, and from the record as it was before the object was
read. A worker may die after any step; the next delivery goes the same way again and ends in the same state.

Why `confirm` comes last: the same version of an object has the same output keys whenever it is made, and a version that
was replaced can become current again (a newer one is deleted). A worker that deletes outputs of a version must
therefore look afterwards whether that version is back, or whether others have named what it deleted. Which race each
look is for: docs/decisions/concurrent-workers.md.

Without a record, the outputs themselves tell what is done, and the condition on each put takes the place of `confirm`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from pipeline.describing import describe
from pipeline.errors import RetryError, SkipError
from pipeline.image_service.answering import answer
from pipeline.image_service.job import Answered, UrlJob
from pipeline.images.transform import Transformed
from pipeline.job import Job, Record, Result
from pipeline.objects import StoredObject
from pipeline.services import Services
from pipeline.steps import Steps
from pipeline.watch import Watch, silent

if TYPE_CHECKING:
    from pipeline.image_service.services import UrlServices

STEPS = ("look", "fetch", "transform", "put", "record", "unrecord", "clean", "confirm", "notify")

#: How often an object may change under our hands before the message goes back to the queue.
ATTEMPTS = 3


@overload
def process(job: Job, services: Services, watch: Watch = silent) -> Result: ...
@overload
def process(job: UrlJob, services: UrlServices, watch: Watch = silent) -> Answered: ...
def process(job: Job | UrlJob, services: Any, watch: Watch = silent) -> Result | Answered:
    """Bring outputs and record of the job's source up to date with the object as it is now, or answer its message.

    Raises SkipError where nothing was left to do and RetryError where a later try may do better. A bad image is no
    error but a Result with a FAILED record, or part of the answer; from a job that has neither, RejectError comes out.
    """
    if isinstance(job, UrlJob):
        return answer(job, services, watch)
    steps = Steps(job, services, watch)
    if not job.record:
        return _unrecorded(steps)
    for _ in range(ATTEMPTS):
        result = _attempt(steps)
        if result:
            return result
    raise RetryError(f"{job.source.key!r} changed {ATTEMPTS} times while it was worked on")


def _unrecorded(steps: Steps) -> Result:
    steps.look()
    found = steps.fetch()
    if found is None:
        raise steps.gone()
    if found.is_output:
        raise steps.made_here()
    made = steps.transform(found)
    placed = steps.put(found, made.outputs) if isinstance(made, Transformed) else ()
    return Result(steps.job, describe(steps.job, found, made, placed, steps.services))


def _attempt(steps: Steps) -> Result | None:
    """Go the whole way once; None where object or record changed meanwhile and the way begins again."""
    before = steps.records.get(steps.job.source.key)
    steps.replaced |= steps.own_outputs(before) if before else frozenset()
    found = steps.fetch()
    if found is None or found.is_output:
        return _remove(steps, before, found)
    if before and steps.is_done(before, found):
        # By somebody else, or by a worker that died before it could say so.
        if _settle(steps, found, before, confirm=False):
            raise SkipError("already done")
        return None
    return _make(steps, before, found)


def _make(steps: Steps, before: Record | None, found: StoredObject) -> Result | None:
    made = steps.transform(found)
    placed = steps.put(found, made.outputs) if isinstance(made, Transformed) else ()
    record = describe(steps.job, found, made, placed, steps.services)
    if not (steps.record(record, before) and _settle(steps, found, record)):
        return None
    return Result(steps.job, record, made.left_out if isinstance(made, Transformed) else ())


def _remove(steps: Steps, before: Record | None, found: StoredObject | None) -> Result | None:
    """What is told of an image that is gone, or in whose place an output of ours was copied, is told no more."""
    # Without a record, or with one that was edited, only their folders tell which outputs there are.
    steps.search |= before is None or not steps.is_whole(before)
    if before and not steps.unrecord(before):
        return None
    if not _settle(steps, found, None, confirm=before is not None):
        return None
    if before is None:
        raise steps.made_here() if found else steps.gone()
    return Result(steps.job, None)


def _settle(steps: Steps, found: StoredObject | None, record: Record | None, *, confirm: bool = True) -> bool:
    """Clean up, and look whether object, record and outputs agree; False means: from the top.

    `confirm=False` where nothing was written: then only a redelivery, or having deleted something, asks for a look.
    """
    steps.clean(record)
    if (confirm or steps.lost or steps.job.deliveries > 1) and not steps.confirm(found, record):
        return False
    if steps.wait:
        raise RetryError("outputs that nothing names are too young to be deleted", after=steps.wait)
    return True
