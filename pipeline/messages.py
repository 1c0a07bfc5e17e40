"""A message body → jobs. Three shapes come from S3, straight, through SNS and through EventBridge; one is our own.

Sources: the S3 user guide, "Event message structure" and "EventBridge event message structure".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from pipeline.errors import Code, RejectError, SkipError
from pipeline.images.variants import Variants
from pipeline.job import Job, OutputWanted, S3Source
from pipeline.keys import MAX_KEY_BYTES

_HANDLED_EVENTS = ("ObjectCreated:", "ObjectRemoved:", "LifecycleExpiration:", "ObjectRestore:Completed")
_HANDLED_DETAILS = ("Object Created", "Object Deleted", "Object Restore Completed")
#: By the name of an output. What is public, listed and deleted is named by these folders.
_FOLDERS = {"thumbnail": "thumbnails", "compressed": "compressed"}


@dataclass(frozen=True)
class Message:
    """What a queue gave: the body as text, its id, and how often it has come, this time included.

    One that was redriven from the dead-letter queue has come once more than its queue counts.
    """

    body: str
    message_id: str
    deliveries: int = 1


@dataclass(frozen=True)
class Uploads:
    """Whose messages are taken (`bucket`), and what is to be made of every image there."""

    bucket: str
    outputs: tuple[OutputWanted, ...]


def outputs_of(variants: Variants, bucket: str) -> tuple[OutputWanted, ...]:
    """What is made of every upload, and where in `bucket` it goes: variants lie beside the compressed image."""
    return tuple(
        OutputWanted(name, options, bucket, _FOLDERS.get(name, _FOLDERS["compressed"]), shares_folder=options.optional)
        for name, options in variants.image_options.outputs
    )


@dataclass(frozen=True)
class _Named:
    bucket: str
    key: str
    force: bool = False


def decode(message: Message, uploads: Uploads) -> list[Job]:
    """The jobs of one message, one for each object that it names, each object once.

    Raises SkipError where there is nothing to do (S3's test event, events of other kinds) and RejectError with
    INVALID_MESSAGE or FOREIGN_BUCKET, where nothing may be written anywhere.
    """
    named = _named_objects(_parsed(message.body))
    if not named:
        raise SkipError("the message names no object")
    foreign = sorted({one.bucket for one in named} - {uploads.bucket})
    if foreign:
        raise RejectError(Code.FOREIGN_BUCKET, f"{foreign[0]!r} is not the uploads bucket {uploads.bucket!r}")
    return [
        Job(
            source=S3Source(one.bucket, one.key),
            outputs=uploads.outputs,
            force=one.force,
            deliveries=message.deliveries,
        )
        for one in dict.fromkeys(named)
    ]


def named_keys(body: str) -> list[str]:
    """The keys that a message is about, for people to read; none where it has no shape that is known."""
    try:
        return list(dict.fromkeys(one.key for one in _named_objects(_parsed(body))))
    except (SkipError, RejectError):
        return []


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RejectError(Code.INVALID_MESSAGE, f"the body is not JSON: {text[:80]!r}") from error
    if not isinstance(body, dict):
        raise RejectError(Code.INVALID_MESSAGE, f"the body is not a JSON object: {text[:80]!r}")
    return body


def _named_objects(body: Mapping[str, Any], *, wrapped: bool = False) -> list[_Named]:
    if body.get("Event") == "s3:TestEvent":
        raise SkipError("S3's test event")
    if isinstance(body.get("Records"), list):
        return [_from_notification(record) for record in body["Records"] if _is_handled(record)]
    if "image_key" in body:
        return [_from_own_message(body)]
    if body.get("source") == "aws.s3":
        return [_from_eventbridge(body)] if body.get("detail-type") in _HANDLED_DETAILS else []
    if body.get("Type") == "Notification" and isinstance(body.get("Message"), str) and not wrapped:
        return _named_objects(_parsed(body["Message"]), wrapped=True)
    raise RejectError(Code.INVALID_MESSAGE, f"no known shape among the fields {sorted(body)[:8]}")


def _is_handled(record: object) -> bool:
    name = record.get("eventName") if isinstance(record, dict) else None
    if not isinstance(name, str):
        raise RejectError(Code.INVALID_MESSAGE, "an entry of Records has no eventName")
    return name.removeprefix("s3:").startswith(_HANDLED_EVENTS)


def _from_notification(record: Mapping[str, Any]) -> _Named:
    bucket, key = _text(record, "s3", "bucket", "name"), _text(record, "s3", "object", "key")
    # Notifications carry keys form-url-encoded, once: "été + 1.jpg" comes as "%C3%A9t%C3%A9+%2B+1.jpg".
    try:
        return _Named(bucket, _checked(unquote_plus(key, errors="strict")))
    except UnicodeDecodeError as error:
        raise RejectError(Code.INVALID_MESSAGE, f"the key {key!r} is not UTF-8") from error


def _from_eventbridge(event: Mapping[str, Any]) -> _Named:
    # EventBridge gives the key as it is.
    return _Named(_text(event, "detail", "bucket", "name"), _checked(_text(event, "detail", "object", "key")))


def _from_own_message(body: Mapping[str, Any]) -> _Named:
    return _Named(_text(body, "bucket_name"), _checked(_text(body, "image_key")), body.get("force") is True)


def _text(body: Mapping[str, Any], *path: str) -> str:
    value: object = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise RejectError(Code.INVALID_MESSAGE, f"{'.'.join(path)} is {value!r}, not a text")
    return value


def _checked(key: str) -> str:
    """A key as S3 has them: UTF-8 of at most 1,024 bytes; lone surrogates from JSON escapes are no UTF-8."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise RejectError(Code.INVALID_MESSAGE, f"the key {key!r} is not UTF-8") from error
    if size > MAX_KEY_BYTES:
        raise RejectError(Code.INVALID_MESSAGE, f"the key has {size} bytes, more than {MAX_KEY_BYTES}")
    return key
