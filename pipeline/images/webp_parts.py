"""Takes a WebP file apart by its RIFF chunks (RFC 9649), without decoding.

Kept are pixels, transparency, frames with their timing, and the ICC profile. EXIF, XMP and unknown chunks go, also
those within a frame, and so does what follows the end of the RIFF file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.errors import Code, RejectError
from pipeline.images.parts import Piece, Pieces, Timing

_HEADER = 12
_CHUNK_HEADER = 8
_PIXELS = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
_FRAME_HEADER = 16
_MAX_CHUNKS = 100_000

#: Flags of a VP8X chunk, by the chunk of which they speak.
_FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
_FLAGS_AT = _HEADER + _CHUNK_HEADER


def take_apart(data: bytes) -> Pieces:
    """The parts of the WebP in `data`; RejectError when it ends early or its structure is broken."""
    end = _CHUNK_HEADER + int.from_bytes(data[4:8], "little")
    if end > len(data) + 1:
        raise RejectError(Code.TRUNCATED_IMAGE, f"the WebP has {len(data):,} of {end:,} bytes")
    found = _Found()
    for kind, chunk in _chunks(memoryview(data)[_HEADER:end]):
        found.take(kind, chunk)
    return found.parts()


@dataclass
class _Found:
    """What has been met on the way through the file."""

    extended: bytes | None = None
    animation: Piece | None = None
    frames: list[bytes] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    still: list[Piece] = field(default_factory=list)
    kinds: set[bytes] = field(default_factory=set)
    exif: bytes | None = None
    profile: memoryview | None = None

    def take(self, kind: bytes, chunk: memoryview) -> None:
        payload = chunk[_CHUNK_HEADER:]
        if kind == b"VP8X" and self.extended is None and len(payload) == 10:
            self.extended = bytes(chunk)
        elif kind == b"ANIM" and self.animation is None and len(payload) == 6:
            self.animation = chunk
        elif kind == b"ANMF" and len(payload) >= _FRAME_HEADER:
            self._take_frame(payload)
        elif kind in _PIXELS and not self.frames and kind not in self.kinds:
            self.still.append(_even(chunk))
            self.kinds.add(kind)
        elif kind == b"EXIF" and self.exif is None:
            self.exif = bytes(payload).removeprefix(b"Exif\x00\x00")
        elif kind == b"ICCP" and self.profile is None:
            self.profile = chunk

    def _take_frame(self, payload: memoryview) -> None:
        inner = [(kind, chunk) for kind, chunk in _chunks(payload[_FRAME_HEADER:]) if kind in _PIXELS]
        self.kinds.update(kind for kind, _ in inner)
        self.durations.append(int.from_bytes(payload[12:15], "little"))
        self.frames.append(
            _chunk(b"ANMF", bytes(payload[:_FRAME_HEADER]) + b"".join(_even(chunk) for _, chunk in inner))
        )

    def parts(self) -> Pieces:
        body: tuple[Piece, ...] = (*self.still,)
        needed = body
        if self.frames:
            if self.extended is None or self.animation is None:
                raise RejectError(Code.CORRUPT_FILE, "the WebP has frames and does not say that it is an animation")
            body, needed = (self.animation, *self.frames), (self.animation, self.frames[0])
        if not body:
            raise RejectError(Code.CORRUPT_FILE, "the WebP holds no picture")
        return Pieces(
            lead=(b"RIFF\x00\x00\x00\x00WEBP", *((self.extended,) if self.extended else ())),
            body=body,
            needed=needed,
            # Only the extended form has room for metadata.
            wrap_exif=_wrap_exif if self.extended else _without_room,
            sealed=_sealed,
            size=self._size(),
            frames=len(self.frames) or 1,
            timing=Timing(tuple(self.durations), self._loop()) if self.frames else None,
            lossless=b"VP8 " not in self.kinds,
            exif=self.exif if self.extended else None,
            profile=bytes(self.profile[_CHUNK_HEADER:]) if self.profile and self.extended else None,
            profile_pieces=(_even(self.profile),) if self.profile and self.extended else (),
        )

    def _loop(self) -> int:
        return int.from_bytes(self.animation[12:14], "little") if self.animation else 0

    def _size(self) -> tuple[int, int]:
        if self.extended:
            canvas = self.extended[_CHUNK_HEADER:]
            return int.from_bytes(canvas[4:7], "little") + 1, int.from_bytes(canvas[7:10], "little") + 1
        payload = self.still[0][_CHUNK_HEADER:]
        if bytes(self.still[0][:4]) == b"VP8L":
            bits = int.from_bytes(payload[1:5], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return int.from_bytes(payload[6:8], "little") & 0x3FFF, int.from_bytes(payload[8:10], "little") & 0x3FFF


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """(type, whole chunk without its padding) of every chunk."""
    position = 0
    for _ in range(_MAX_CHUNKS):
        if position + _CHUNK_HEADER > len(view):
            return
        end = position + _CHUNK_HEADER + int.from_bytes(view[position + 4 : position + 8], "little")
        if end > len(view):
            raise RejectError(Code.TRUNCATED_IMAGE, "the WebP ends within a chunk")
        yield bytes(view[position : position + 4]), view[position:end]
        position = end + end % 2
    raise RejectError(Code.TOO_LARGE, f"the WebP has more than {_MAX_CHUNKS:,} chunks")


def _even(chunk: memoryview) -> Piece:
    return chunk if len(chunk) % 2 == 0 else bytes(chunk) + b"\x00"


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) % 2)


def _wrap_exif(block: bytes) -> bytes:
    return _chunk(b"EXIF", block)


def _without_room(block: bytes) -> bytes:
    return b""


def _sealed(file: bytes) -> bytes:
    """The file with its length, with flags for the metadata that it has, and with EXIF behind the pixels."""
    chunks = sorted(_chunks(memoryview(file)[_HEADER:]), key=lambda found: found[0] == b"EXIF")
    kinds = {kind for kind, _ in chunks}
    whole = bytearray(b"".join((file[:_HEADER], *(_even(chunk) for _, chunk in chunks))))
    whole[4:8] = (len(whole) - _CHUNK_HEADER).to_bytes(4, "little")
    if b"VP8X" in kinds:
        for kind, flag in _FLAGS.items():
            whole[_FLAGS_AT] = whole[_FLAGS_AT] & ~flag | (flag if kind in kinds else 0)
    return bytes(whole)
