"""What parent and child of `isolate.py` say to each other: JSON headers, each followed by raw bytes.

Everything from the child is checked here, and nothing of it is ever executed: a decoder that a hostile image has taken
over can send wrong pixels, but no code, no content type of its own and no endless answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any, cast, get_args, get_origin, get_type_hints

from pipeline.errors import Code, RejectError
from pipeline.images.formats import FORMATS, sniff
from pipeline.images.options import ImageOptions, Limits, OutputOptions
from pipeline.job import Facts, Output

#: Bounds of what a child may send: nothing that is right comes near them.
_MAX_HEADER = 100_000
_MAX_TEXT = 2_000
_MAX_BLOB = 500_000_000
_MAX_NUMBER = 2**53

Header = dict[str, Any]


class BrokenAnswerError(Exception):
    """The other side stopped in the middle, or said what it must not."""


def send(pipe: IO[bytes], header: Header, *blobs: bytes) -> None:
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    pipe.write(len(text).to_bytes(4, "big") + text)
    for blob in blobs:
        pipe.write(blob)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[Header, list[bytes]]:
    """The next header with its blobs; BrokenAnswerError when the other side has gone or breaks the bounds."""
    size = int.from_bytes(_exactly(pipe, 4), "big")
    _require(size <= _MAX_HEADER)
    try:
        header = json.loads(_exactly(pipe, size))
    except (ValueError, RecursionError) as error:
        raise BrokenAnswerError("no JSON") from error
    sizes = _dictionary(header).pop("blobs", None)
    _require(isinstance(sizes, list) and all(_fits(length, int) for length in sizes))
    _require(sum(sizes) <= _MAX_BLOB)
    return header, [_exactly(pipe, length) for length in sizes]


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    _require(len(data) == size)
    return data


def options_to_header(options: ImageOptions) -> Header:
    return asdict(options)


def options_from_header(header: Header) -> ImageOptions:
    wanted = ((name, OutputOptions(**_tuples(values))) for name, values in header["outputs"])
    return ImageOptions(outputs=tuple(wanted), limits=Limits(**_tuples(header["limits"])))


def _tuples(values: Header) -> Header:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def output_to_header(output: Output) -> Header:
    return {"name": output.name, "format": output.format, "size": output.size}


def output_from_header(header: object, data: bytes) -> Output:
    """The content type comes from our own table, and the bytes have to begin as that format does."""
    header = _dictionary(header)
    name, form, size = header.get("name"), FORMATS.get(str(header.get("format"))), header.get("size")
    _require(_fits(name, str) and form is not None and _fits(size, tuple[int, int]))
    assert isinstance(name, str) and form is not None and isinstance(size, list)
    _require(sniff(data) is form and min(size) > 0)
    return Output(name=name, data=data, content_type=form.mime, format=form.name, size=(size[0], size[1]))


def names_from_header(names: object) -> tuple[str, ...]:
    _require(isinstance(names, list) and all(_fits(name, str) for name in names))
    return tuple(cast(list[str], names))


def check_names(made: Sequence[str], left_out: Sequence[str], options: ImageOptions) -> None:
    """BrokenAnswerError for outputs that nobody asked for, or where one is missing that is not optional."""
    needed = [name for name, wanted in options.outputs if not wanted.optional]
    told = [*made[len(needed) :], *left_out]
    optional = {name for name, wanted in options.outputs if wanted.optional}
    _require(list(made[: len(needed)]) == needed and len(set(told)) == len(told) and optional.issuperset(told))


def facts_from_header(header: object, source: bytes) -> Facts:
    """The facts that the child tells; what can be known of `source` without decoding it is not taken from there."""
    told = _dictionary(header)
    form = FORMATS.get(str(told.get("format")))
    _require(form)
    assert form
    told |= {"content_type": form.mime, "bytes": len(source), "sha256": hashlib.sha256(source).hexdigest()}
    hints = get_type_hints(Facts)
    _require(told.keys() == hints.keys() and all(_fits(told[name], hint) for name, hint in hints.items()))
    return Facts(**_tuples(told))


def rejection_from_header(header: object) -> RejectError:
    header = _dictionary(header)
    code, reason = str(header.get("code")), header.get("reason")
    _require(code in tuple(Code) and isinstance(reason, str))
    return RejectError(Code(code), str(reason)[:_MAX_TEXT])


def pixels_from_header(header: Header) -> int:
    pixels = header.get("pixels")
    _require(_fits(pixels, int))
    return int(pixels or 0)


def _fits(value: object, hint: object) -> bool:
    """Whether a value out of JSON is of the type `hint`: str, int, float, bool, a tuple or an optional of these."""
    if hint is str:
        return isinstance(value, str) and len(value) <= _MAX_TEXT
    if hint is int:
        return type(value) is int and 0 <= value <= _MAX_NUMBER
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        return isinstance(value, list) and len(value) == len(parts) and all(map(_fits, value, parts))
    if get_args(hint):
        return any(_fits(value, part) for part in get_args(hint))
    return isinstance(hint, type) and type(value) is hint


def _dictionary(value: object) -> Header:
    _require(isinstance(value, dict))
    return cast(Header, value)


def _require(condition: object) -> None:
    if not condition:
        raise BrokenAnswerError("an answer that is none")
