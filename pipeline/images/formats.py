"""The one home of what we know about image formats: names, MIME types, extensions, first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Format:
    """One format. `name` is Pillow's, `ext` has no dot, `plugin` is the module of PIL that reads and writes it.

    `magic`: (offset, bytes) pairs that all stand in a file of this format.
    `accepted`: whether an upload may have it; the others are only written.
    `isolated`: whether its decoder is trusted so little that it runs in a child (`isolate.py`).
    """

    name: str
    mime: str
    ext: str
    plugin: str
    magic: tuple[tuple[int, bytes], ...]
    accepted: bool = True
    isolated: bool = False

    def begins(self, data: bytes) -> bool:
        return all(data.startswith(piece, offset) for offset, piece in self.magic)


_ROWS = (
    Format("JPEG", "image/jpeg", "jpg", "JpegImagePlugin", ((0, b"\xff\xd8\xff"),)),
    Format("PNG", "image/png", "png", "PngImagePlugin", ((0, b"\x89PNG\r\n\x1a\n"),)),
    Format("WEBP", "image/webp", "webp", "WebPImagePlugin", ((0, b"RIFF"), (8, b"WEBP")), accepted=False),
)

FORMATS: Mapping[str, Format] = MappingProxyType({row.name: row for row in _ROWS})


def sniff(data: bytes) -> Format | None:
    """The accepted format that the first bytes of `data` show, whatever the file is called."""
    return next((row for row in _ROWS if row.accepted and row.begins(data)), None)
