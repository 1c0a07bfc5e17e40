"""The body of a URL message → the job of it: images by their URLs, sizes to make, and who is told.

{"image_url": …, "itunes_image": …, "bucket_name": …, "redirect_queue": …, "postback_url": …, whatever else}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import Code, RejectError, SkipError
from pipeline.image_service.job import Reply, UrlJob, UrlSource
from pipeline.images.options import OutputOptions
from pipeline.job import OutputWanted
from pipeline.keys import MAX_KEY_BYTES
from pipeline.messages import Message

IMAGE_FIELDS = ("image_url", "itunes_image")
#: What producers write where there is no image or nobody to tell.
ABSENT = ("", "N/A")
#: Room in a key after the folder: slash, 32 hex digits, the size as it is spelled, and the extension.
_LONGEST_NAME = 64
#: How deep lists and objects of a message may lie in one another. Python goes 1,000 calls deep, ours among them.
MOST_NESTED = 500


@dataclass(frozen=True)
class Images:
    """What is made of every image, by the name of the size, and where it goes: `bucket`, below `prefix`."""

    bucket: str
    prefix: str
    sizes: tuple[tuple[str, OutputOptions], ...]


def decode_urls(message: Message, images: Images) -> list[UrlJob]:
    """The job of one message.

    Raises SkipError where it names no image, or nobody to tell, and RejectError with INVALID_MESSAGE for what cannot
    be understood, or could not be said again as it came.
    """
    body = _parsed(message.body)
    named = {field: url for field in IMAGE_FIELDS if (url := _text(body, field))}
    if not named:
        raise SkipError(f"the message has neither {' nor '.join(IMAGE_FIELDS)}")
    reply = Reply(
        id=_reply_id(message),
        fields=body,
        redirect_queue=_text(body, "redirect_queue"),
        postback_url=_text(body, "postback_url"),
    )
    if not (reply.redirect_queue or reply.postback_url):
        raise SkipError("the message has neither redirect_queue nor postback_url")
    folder = _folder(images.prefix, _text(body, "bucket_name"))
    return [
        UrlJob(
            sources=tuple(UrlSource(field, url) for field, url in named.items()),
            outputs=tuple(OutputWanted(name, options, images.bucket, folder) for name, options in images.sizes),
            reply=reply,
            deliveries=message.deliveries,
        )
    ]


def _reply_id(message: Message) -> str:
    """Of the message's id and its text: who sends another text under a borrowed id is told nothing of the first."""
    return "msg_" + hashlib.sha256(f"{message.message_id}\n{message.body}".encode(errors="replace")).hexdigest()[:32]


def _parsed(text: str) -> Mapping[str, Any]:
    """The object in `text`, to be said again as it came; fractions are doubles.

    Refused: NaN, a field that stands in it twice, half a character, and nesting too deep for what comes later.
    """
    try:
        body = json.loads(text, object_pairs_hook=_each_once, parse_constant=_refused, parse_float=_finite)
        if _depth(body) > MOST_NESTED:
            raise ValueError(f"it is nested more than {MOST_NESTED} deep")
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RejectError(Code.INVALID_MESSAGE, f"the body is not JSON that can be passed on: {error}") from error
    if not isinstance(body, dict):
        raise RejectError(Code.INVALID_MESSAGE, f"the body is not a JSON object: {type(body).__name__}")
    return body


def _depth(value: object) -> int:
    """Without recursion: too deep for that is what it looks for."""
    depth, layer = 0, list[Any]([value])
    while layer := [each for each in layer if isinstance(each, dict | list)]:
        depth += 1
        layer = [inner for each in layer for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field stands in it twice")
    return fields


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:20]} is too large")
    return number


def _text(body: Mapping[str, Any], field: str) -> str | None:
    value = body.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RejectError(Code.INVALID_MESSAGE, f"{field} is no text: {type(value).__name__}")
    stripped = value.strip()
    return None if stripped in ABSENT else stripped


def _folder(prefix: str, bucket_name: str | None) -> str:
    """`<prefix>/<bucket_name>`, in which every part stays what it is in a key and in a URL."""
    if bucket_name is None:
        return prefix
    if "/" in bucket_name or bucket_name in (".", "..") or not bucket_name.isprintable():
        raise RejectError(Code.INVALID_MESSAGE, f"bucket_name {bucket_name[:80]!r} cannot be the name of a folder")
    folder = f"{prefix}/{bucket_name}"
    if len(folder.encode()) + _LONGEST_NAME > MAX_KEY_BYTES:
        raise RejectError(Code.INVALID_MESSAGE, "bucket_name is too long for the name of a folder")
    return folder
