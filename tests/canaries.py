"""Credentials that nobody else has: wherever their text turns up, a program has let them go."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

#: Put together here, so that no file of ours holds what looks like a key.
CANARIES = {
    "AWS_ACCESS_KEY_ID": "ASIA" + "CANARY" * 2 + "KEYS",
    "AWS_SECRET_ACCESS_KEY": "canary/secret+" + "Q7x2" * 6 + "Zz",
    "AWS_SESSION_TOKEN": "canary//token==" + "m9K4" * 20,
}
_LEAST_DIGITS = 12
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


def found_in(texts: Mapping[str, bytes], canaries: Mapping[str, str] = CANARIES) -> list[str]:
    """Where a canary is: the name of the text, and of the canary; also in base64, in gzip and inside of zips."""
    wanted = {name: _spellings(value) for name, value in canaries.items()}
    return [
        f"{place}: {name}"
        for origin, data in texts.items()
        for place, opened in _opened(origin, data)
        for name, spellings in wanted.items()
        if any(spelling in opened for spelling in spellings)
    ]


def below(folder: Path, *, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Every file below `folder`, but for those names."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in but}


def _spellings(value: str) -> list[bytes]:
    """The value as it is, as JSON and as a URL would have it, and in base64, whose digits depend on where it begins.

    Of a short value too few digits are left that do not depend on what stands beside it: anything holds them.
    """
    plain = value.encode()
    shifted = (base64.b64encode(b"x" * start + plain)[4:-4] for start in range(3))
    encoded = (digits for digits in shifted if len(digits) >= _LEAST_DIGITS)
    return [plain, plain.replace(b"/", rb"\/"), plain.replace(b"/", b"%2F").replace(b"+", b"%2B"), *encoded]


def _opened(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if data.startswith(_GZIP):
        yield f"{name} (unpacked)", gzip.decompress(data)
    if data.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from ((f"{name}!{member}", archive.read(member)) for member in archive.namelist())
