"""Object keys and URLs: where an output lies, as a function of its source alone.

Two different sources never share an output key: `folder` and version have fixed shapes, and what lies between them is
either the whole source key or, where S3's 1,024 bytes would not hold it or browsers would rewrite it, a hash under a
name of its own.
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote

MAX_KEY_BYTES = 1024
#: Source keys that begin so are hashed as well, so that nobody can upload an object whose outputs meet hashed ones.
HASHED = ".sha256/"
_VERSION_DIGITS = 16
#: Bytes, with the dot.
LONGEST_EXTENSION = 5


def version_of(*, version_id: str | None, etag: str, options_hash: str, output: str = "") -> str:
    """16 hex digits for one object version made with one set of options; the VersionId counts, else the ETag.

    `output` tells outputs apart that lie in one folder: a key keeps its form and its length, however many there are.
    """
    identity = f"version:{version_id}" if version_id else f"etag:{etag}"
    made = f"{options_hash}\n{output}" if output else options_hash
    return hashlib.sha256(f"{identity}\n{made}".encode()).hexdigest()[:_VERSION_DIGITS]


def output_folder(folder: str, source_key: str) -> str:
    """The prefix, with its slash, under which lie all outputs of one kind of one source and nothing else, one deep."""
    prefix = f"{folder}/{source_key}/"
    longest = len(prefix.encode()) + _VERSION_DIGITS + LONGEST_EXTENSION
    # Browsers resolve "." and ".." in a path before they ask for it, percent-encoded or not.
    rewritten = not {".", ".."}.isdisjoint(source_key.split("/"))
    if longest <= MAX_KEY_BYTES and not rewritten and not source_key.startswith(HASHED):
        return prefix
    return f"{folder}/{HASHED}{hashlib.sha256(source_key.encode()).hexdigest()}/"


def output_key(folder: str, source_key: str, version: str, extension: str) -> str:
    """`<folder>/<source key>/<version>.<extension>`, at most 1,024 bytes."""
    return f"{output_folder(folder, source_key)}{version}.{extension}"


def url(base: str, key: str) -> str:
    """The address of `key` under `base`: every byte that is not plain is percent-encoded, slashes stay."""
    return f"{base}/{quote(key, safe='/')}"
