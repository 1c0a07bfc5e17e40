"""Look, then act: what every step does before it changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def look(call: Callable[[], T], *absent: str) -> T | None:
    """The answer of `call`, or None where AWS says one of the error codes in `absent`; other errors are raised."""
    from botocore.exceptions import ClientError

    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return None
        raise


def says(error: Exception, *words: str) -> bool:
    """Whether AWS's text of `error` holds one of `words`: some passing errors have no code of their own."""
    return any(word in str(error) for word in words)


def merged(present: Iterable[Mapping[str, Any]], ours: Iterable[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """`present` with our entries in it: those with the same `key` replaced in place, the others kept as they are."""
    wanted = {str(entry[key]): dict(entry) for entry in ours}
    result = [wanted.pop(str(entry.get(key)), dict(entry)) for entry in present]
    return result + list(wanted.values())


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as S3, DynamoDB and IAM spell them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
