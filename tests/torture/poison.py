"""A decoder that one certain picture kills: what the isolated child of a test runs in place of `transform`."""

from __future__ import annotations

import os
import signal

from pipeline.images.transform import Transformed, transform

POISON = b"\xff\xd8 poison"


def transform_unless_poison(data, options, *, decoding) -> Transformed:
    if data == POISON:
        os.kill(os.getpid(), signal.SIGSEGV)
    return transform(data, options, decoding=decoding)
