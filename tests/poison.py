"""Pictures that end, starve or hold up whoever decodes them: what the decoders of a test do in place of `transform`."""

from __future__ import annotations

import ctypes

from pipeline.images.transform import Transformed, transform

#: What each does, and how it begins: as a JPEG does.
POISONS = {name: b"\xff\xd8\xff poison: " + name.encode() for name in ("crash", "memory", "loop")}


def transform_unless_poison(data, options, *, decoding) -> Transformed:
    if data == POISONS["crash"]:
        ctypes.string_at(0)
    if data == POISONS["memory"]:
        held = []
        while True:
            held.append(bytearray(50_000_000))
    if data == POISONS["loop"]:
        # In C code that never gives up the interpreter: no other thread of the process gets a turn either.
        return transform(bytes(7 ** (7**9)), options, decoding=decoding)
    return transform(data, options, decoding=decoding)
