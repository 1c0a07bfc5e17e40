"""`transform` in a process of its own, for decoders that are not trusted and images that may have killed one before.

The child inherits no environment, no descriptors and no memory; it has 10 s of CPU time and 768 MB, a wall clock of
its own, and dies with its parent. Reasons, costs and what it does not protect from: docs/decisions/isolation.md.

| what becomes of the child                     | raised here                       |
| --------------------------------------------- | --------------------------------- |
| it answers with a RejectError                 | the same                          |
| CPU time, clock or memory used up, or SIGKILL | RejectError(TOO_LARGE)            |
| any other crash, or an answer that is none    | RejectError(CORRUPT_FILE)         |
| it never gets ready: not the image's fault    | IsolationError, a bug: try again  |
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from pipeline.images import wire
from pipeline.images.child import Budget, Child, IsolationError, started
from pipeline.images.options import ImageOptions
from pipeline.images.transform import Transformed

WORK = "pipeline.images.transform:transform"
#: Starts a child for work within a budget: (work, budget) → the child, for the length of a block.
Start = Callable[[str, Budget], AbstractContextManager[Child]]

_DEFAULTS = ImageOptions()
_BUDGET = Budget()


def transform_isolated(
    data: bytes,
    options: ImageOptions = _DEFAULTS,
    *,
    decoding: Callable[[int], AbstractContextManager[object]] = nullcontext,
    budget: Budget = _BUDGET,
    work: str = WORK,
    start: Start | None = None,
) -> Transformed:
    """What `transform` makes of `data`, made in a child within `budget`; `work` names the function as module:function.

    `start`: how to come by a child, if not by starting a Python (`pipeline/images/nursery.py`).

    `decoding(pixels)` is entered here, for as long as the child holds the pixels.

    Raises RejectError for every fault of the image, a crash of its decoder included, and IsolationError for our own.
    """
    with (start or started)(work, budget) as child:
        child.get_ready()
        try:
            answer, blobs = child.ask(data, options, decoding)
            if "bug" in answer:
                raise IsolationError(f"the child failed: {answer['bug']!a:.500}")
            if "rejected" in answer:
                raise wire.rejection_from_header(answer["rejected"])
            return _transformed(answer, blobs, data, options)
        except (wire.BrokenAnswerError, OSError):
            raise child.verdict() from None


def _transformed(answer: wire.Header, blobs: list[bytes], data: bytes, options: ImageOptions) -> Transformed:
    """The answer as a value, once it is one that `transform` could have given for these options."""
    described = answer.get("outputs")
    if not isinstance(described, list) or len(described) != len(blobs):
        raise wire.BrokenAnswerError("outputs without their bytes")
    outputs = tuple(map(wire.output_from_header, described, blobs))
    left_out = wire.names_from_header(answer.get("left_out"))
    wire.check_names([output.name for output in outputs], left_out, options)
    return Transformed(outputs, wire.facts_from_header(answer.get("facts"), data), left_out)
