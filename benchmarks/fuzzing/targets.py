"""What is fuzzed: for each target what has to hold for any bytes, whatever they are.

An attempt returns, or raises what its target does not foresee. Atheris instruments modules while they are imported, so
an attempt imports what it tries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from urllib.parse import unquote

#: Small pictures keep it fast; the limits themselves have tests of their own.
MAX_PIXELS = 300_000
BUCKET = "uploads"


@dataclass(frozen=True)
class Target:
    """`modules` are those whose branches guide the fuzzer; `max_len` bytes are the longest input."""

    attempt: Callable[[bytes], None]
    modules: tuple[str, ...]
    max_len: int = 4_096
    takes_images: bool = False


def transform_image(data: bytes) -> None:
    """Only RejectError leaves the image core."""
    from pipeline.errors import RejectError
    from pipeline.images.options import ImageOptions, Limits
    from pipeline.images.transform import transform

    with suppress(RejectError):
        transform(data, ImageOptions(limits=Limits(max_pixels=MAX_PIXELS)))


def take_apart(data: bytes) -> None:
    """Only RejectError leaves the parsers; EXIF never fails; what has been stripped can be taken apart again."""
    from pipeline.errors import RejectError
    from pipeline.images import strip
    from pipeline.images.formats import sniff
    from pipeline.images.metadata import read_exif
    from pipeline.images.options import Limits

    read_exif(data)
    form = sniff(data)
    if form is None:
        return
    with suppress(RejectError):
        parts = strip.take_apart(data, form, Limits())
        block = read_exif(parts.exif).fresh_block(orientation=1)
        stripped = parts.stripped(exif=block, with_profile=True)
        parts.bare()
        _take_apart_again(stripped, form.name)


def _take_apart_again(stripped: bytes, name: str) -> None:
    from pipeline.images import strip
    from pipeline.images.formats import sniff
    from pipeline.images.options import Limits

    form = sniff(stripped)
    # A file of boxes may say that its private bytes are those of its head: then nothing is left to be decoded.
    if form is None and name in ("AVIF", "HEIF"):
        return
    assert form is not None and form.name == name, f"{name} became {form}"
    strip.take_apart(stripped, form, Limits())


def decode_message(data: bytes) -> None:
    """A message is refused, passed over, or names objects of our bucket by keys that S3 could have."""
    from pipeline.errors import RejectError, SkipError
    from pipeline.image_service.messages import Images, decode_urls
    from pipeline.messages import Message, Uploads, decode, named_keys

    message = Message(data.decode("utf-8", "replace"), "an id")
    named_keys(message.body)
    with suppress(RejectError, SkipError):
        for job in decode(message, Uploads(BUCKET, ())):
            assert job.source.bucket == BUCKET
            assert len(job.source.key.encode()) <= 1_024
    with suppress(RejectError, SkipError):
        for url_job in decode_urls(message, Images(BUCKET, "prefix", ())):
            assert url_job.reply is not None
            assert json.loads(json.dumps(url_job.reply.fields)) == url_job.reply.fields


def make_keys(data: bytes) -> None:
    """Two sources never share an output; keys are short enough; an address leads back to its key."""
    from pipeline.keys import MAX_KEY_BYTES, output_folder, output_key, url

    one, _, other = data.decode("utf-8", "ignore").partition("\n\n")
    for source in filter(None, (one, other)):
        key = output_key("thumbnails", source, "0123456789abcdef", "webp")
        address = url("http://host", key)
        assert key.startswith("thumbnails/") and len(key.encode()) <= MAX_KEY_BYTES
        assert address.isascii() and address.isprintable() and unquote(address).endswith(key)
    if one and other and one != other:
        first, second = output_folder("compressed", one), output_folder("compressed", other)
        assert first != second
        # What lies in a folder is one deep: no folder of another source counts as what lies in it.
        assert (
            "/" not in second.removeprefix(first).rstrip("/") or not second.startswith(first) or other.startswith(one)
        )


def read_cursor(data: bytes) -> None:
    """A cursor that is no cursor of ours is a CursorError."""
    from pipeline.gallery.pages import CursorError, decode_cursor, encode_cursor

    text = data.decode("utf-8", "replace")
    with suppress(CursorError):
        assert encode_cursor(decode_cursor(text, "0123")) == text


def read_csv(data: bytes) -> None:
    """Every line is a row with a key that S3 could have, or omitted with a reason; in order, each key once."""
    from bulk.csv_rows import Row, read_rows
    from cli.exits import CommandError

    with suppress(CommandError):
        rows = list(read_rows(BufferedReader(BytesIO(data)), BUCKET))
        numbers, keys = [row.line for row in rows], [row.key for row in rows if isinstance(row, Row)]
        assert numbers == sorted(set(numbers))
        assert len(keys) == len(set(keys))
        assert all(key.strip() and "\0" not in key and len(key.encode()) <= 1_024 for key in keys)


def read_list(data: bytes) -> None:
    """Lists of lines become images or bad lines, JSON lists and manifests FileListError; chunks change nothing."""
    from bulk.list_lines import read_lines
    from pipeline.batch import file_list
    from pipeline.batch.json_tokens import FileListError

    list(read_lines(BytesIO(data)))
    text = data.decode("utf-8", "replace")
    for reads in (file_list.Manifest.from_json, lambda text: file_list.images_of_shard(text.splitlines())):
        with suppress(FileListError):
            reads(text)
    whole, halves = _counted([text]), _counted([text[: len(text) // 2], text[len(text) // 2 :]])
    assert (whole is None) == (halves is None) and whole == halves
    if whole is not None:
        assert sum(len(file_list.images_of([text], number) or ()) for number in range(1, 9)) <= sum(whole.values())


def _counted(chunks: list[str]) -> dict[str, int] | None:
    from pipeline.batch.file_list import count_images, require_complete
    from pipeline.batch.json_tokens import FileListError

    with suppress(FileListError):
        counts = count_images(chunks)
        with suppress(FileListError):
            require_complete(counts)
        return counts
    return None


_CORE, _TEXT = ("pipeline", "PIL"), ("pipeline", "bulk")
TARGETS: Mapping[str, Target] = {
    "transform": Target(transform_image, _CORE, max_len=60_000, takes_images=True),
    "strip": Target(take_apart, ("pipeline",), max_len=20_000, takes_images=True),
    "messages": Target(decode_message, _TEXT),
    "keys": Target(make_keys, _TEXT),
    "cursors": Target(read_cursor, _TEXT),
    "csv": Target(read_csv, _TEXT),
    "lists": Target(read_list, _TEXT),
}
