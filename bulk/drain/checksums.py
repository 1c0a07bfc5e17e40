"""What S3 says about an object's bytes, and the taking of the same from bytes that have arrived.

S3 keeps a checksum of the whole object, or, for objects that were uploaded in parts, one of the checksums of the parts
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Hasher(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


@dataclass(frozen=True)
class Expected:
    """What the bytes must give. `value` is base64; `parts`: how many it is made of, None for the whole."""

    algorithm: str
    value: str
    parts: int | None = None

    def __str__(self) -> str:
        return f"{self.algorithm.lower()}:{self.value}" + (f"-{self.parts}" if self.parts else "")


MD5 = "MD5"
SHA256 = "SHA256"


class _Crc:
    """A running CRC with the methods of hashlib; `function` takes data and the CRC so far."""

    def __init__(self, function: Callable[[Any, int], int], size: int) -> None:
        self._function, self._size, self._value = function, size, 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def _crc32c() -> Hasher:
    from awscrt.checksums import crc32c  # type: ignore[import-untyped]

    return _Crc(crc32c, 4)


def _crc64nvme() -> Hasher:
    from awscrt.checksums import crc64nvme

    return _Crc(crc64nvme, 8)


#: From the strongest down: where S3 keeps several, the first counts.
HASHERS: dict[str, Callable[[], Hasher]] = {
    "SHA512": hashlib.sha512,
    SHA256: hashlib.sha256,
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "CRC64NVME": _crc64nvme,
    "CRC32C": _crc32c,
    "CRC32": lambda: _Crc(zlib.crc32, 4),
    MD5: lambda: hashlib.md5(usedforsecurity=False),
}
_MD5_ETAG = re.compile(r"[0-9a-f]{32}")
#: Encryption under which the ETag of an object that came in one part is the MD5 of its bytes.
_PLAIN_ETAG = (None, "AES256")


def expected(answer: Mapping[str, Any]) -> Expected | None:
    """By what the bytes of GetObject's or HeadObject's answer can be verified; None: by nothing."""
    for algorithm in HASHERS:
        stored = answer.get(f"Checksum{algorithm}")
        if stored:
            value, _, parts = stored.partition("-")
            return Expected(algorithm, value, int(parts) if parts else None)
    etag = answer["ETag"].strip('"')
    is_md5 = _MD5_ETAG.fullmatch(etag) and not answer.get("SSECustomerAlgorithm")
    if is_md5 and answer.get("ServerSideEncryption") in _PLAIN_ETAG:
        return Expected(MD5, base64.b64encode(bytes.fromhex(etag)).decode())
    return None


def encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def of_chunks(algorithm: str, chunks: Iterable[bytes | memoryview]) -> str:
    """The checksum of bytes as S3 writes it."""
    hasher = HASHERS[algorithm]()
    for chunk in chunks:
        hasher.update(chunk)
    return encoded(hasher.digest())


def of_parts(algorithm: str, parts: Iterable[Iterable[bytes | memoryview]]) -> str:
    """The checksum of the checksums of parts, each given by its chunks."""
    total = HASHERS[algorithm]()
    for part in parts:
        hasher = HASHERS[algorithm]()
        for chunk in part:
            hasher.update(chunk)
        total.update(hasher.digest())
    return encoded(total.digest())
