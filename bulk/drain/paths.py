"""Keys to paths and back: injective, reversible and inside the folder, whatever the key.

A key is cut at its slashes; each piece becomes one part of the path, as it is, but for what a file system might
misunderstand. That is written as `%` and two hex digits for each byte of its UTF-8, as in addresses:

    %, control characters, < > : " | ? * \\        anywhere
    a dot or a space                             at the end of a piece, so "." and ".." too
    the first letter                             of CON, NUL, COM1 and the like, and of `.drain` at the top

A `%` and a word, which no piece can hold since its own `%` is written %25, says what is no text of the key:

    a//b → a/%empty/b                            a piece without a letter
    xxx… → xxx…%more/xxx…                        a piece goes on in the next part: parts have at most 255 bytes
    a/b  → a%folder/b                            there is a file `a` already
    a    → a%file                                there is a folder `a` already
    a    → a%version=<16 hex digits>             there is a file `a` with another content already
    A    → A%twin=<16 hex digits>                there is an `a` already, and this file system takes both for one

Only the first two depend on the key alone; the others are chosen when the file is written, and all are undone by
`key_of`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence

#: Where the drainer keeps its own files; no key leads there.
OWN_FOLDER = ".drain"
EMPTY = "%empty"
MORE = "%more"
FOLDER = "%folder"
FILE = "%file"
#: What is left of 255 bytes when %more, or %twin=… with %version=… and %folder, have their place.
MOST_BYTES = 195

_FORBIDDEN = re.compile(r'[%\x00-\x1f\x7f<>:"|?*\\]')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
_SUFFIX = re.compile(r"%(?:folder|file|version=[0-9a-f]{16}|twin=[0-9a-f]{16})")
_ESCAPES = re.compile(r"(?:%[0-9A-F]{2})+")
_TOKEN = re.compile(r"%[0-9A-F]{2}|.", re.DOTALL)


def parts_of(key: str) -> tuple[str, ...]:
    """The parts of the path below the folder that is drained into; the last one is the file."""
    pieces = key.split("/")
    return tuple(part for number, piece in enumerate(pieces) for part in _parts_of_piece(piece, is_first=number == 0))


def key_of(parts: Sequence[str]) -> str:
    """The key that a path came from; what was appended because the place was taken is left out."""
    return "/".join(_pieces(parts))


def version_ending(identity: str) -> str:
    """What another content of the same key has after its name; `identity`: its VersionId, or else its ETag."""
    return f"%version={_digest(identity)}"


def twin_name(part: str) -> str:
    """The name for a part where the file system takes another one's name for the same."""
    return f"{part}%twin={_digest(part)}"


def partial_name(key: str, identity: str) -> str:
    """The name under which bytes arrive: "%." is in no part of a key, so it can be nobody's file."""
    return f"{_digest(key)}{_digest(identity)}%.part"


def _parts_of_piece(piece: str, *, is_first: bool) -> Iterator[str]:
    if not piece:
        yield EMPTY
        return
    *full, last = _cut(_TOKEN.findall(_escaped(piece, is_first=is_first)))
    yield from (chunk + MORE for chunk in full)
    yield last


def _escaped(piece: str, *, is_first: bool) -> str:
    text = _FORBIDDEN.sub(lambda found: _percent(found[0]), piece)
    if text[-1] in ". ":
        text = text[:-1] + _percent(text[-1])
    if _DEVICE.match(piece) or is_first and piece.casefold() == OWN_FOLDER:
        text = _percent(text[0]) + text[1:]
    return text


def _cut(tokens: Iterable[str]) -> list[str]:
    """Chunks of at most MOST_BYTES, none of which ends within a character, or in what Windows takes away."""
    chunks, size = [""], 0
    for token in tokens:
        size += len(token.encode())
        if size > MOST_BYTES:
            chunks.append("")
            size = len(token.encode())
        chunks[-1] += token
    return chunks


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _pieces(parts: Iterable[str]) -> Iterator[str]:
    begun = ""
    for part in parts:
        plain = _SUFFIX.sub("", part)
        if plain.endswith(MORE):
            begun += plain.removesuffix(MORE)
            continue
        yield _unescaped(begun + plain.removesuffix(EMPTY))
        begun = ""


def _unescaped(text: str) -> str:
    return _ESCAPES.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode(), text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
