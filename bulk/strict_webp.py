"""Reads a WebP as RFC 9649 has it: every length in its container is right, and libwebp decodes every frame."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.images.formats import FORMATS

_HEADER = 12
_CHUNK_HEADER = 8
_FRAME_HEADER = 16
_PICTURES = (b"VP8 ", b"VP8L")


def check_webp(data: bytes) -> None:
    """ValueError, with what is wrong, unless the file is whole and decodes to the end."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("the file does not begin as a WebP does")
    promised = _CHUNK_HEADER + int.from_bytes(data[4:8], "little")
    if promised > len(data):
        raise ValueError(f"{len(data):,} of {promised:,} bytes are there")
    pictures = _check_chunks(memoryview(data)[_HEADER:promised])
    _decode(data, pictures)


def _check_chunks(view: memoryview) -> int:
    """The number of pictures, each of which begins and ends where its chunk says."""
    pictures = 0
    for kind, payload in _chunks(view):
        if kind == b"ANMF":
            inner = [name for name, _ in _chunks(payload[_FRAME_HEADER:]) if name in _PICTURES]
            if len(inner) != 1:
                raise ValueError("a frame of the animation holds no picture")
            pictures += 1
        elif kind in _PICTURES:
            pictures += 1
    return pictures


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    position = 0
    while position < len(view):
        start = position + _CHUNK_HEADER
        end = start + int.from_bytes(view[position + 4 : start], "little")
        kind = bytes(view[position : position + 4])
        if end > len(view):
            raise ValueError(f"the file ends within the chunk {kind!r}")
        yield kind, view[start:end]
        position = end + end % 2


def _decode(data: bytes, pictures: int) -> None:
    try:
        image = FORMATS["WEBP"].opened(data)
        frames = int(getattr(image, "n_frames", 1))
        for number in range(frames):
            image.seek(number)
            image.load()
    except Exception as error:
        # Pillow meets damage with errors of many kinds, one for a canvas beyond its own limits among them.
        raise ValueError(f"libwebp does not decode it: {error}") from error
    if frames != pictures:
        raise ValueError(f"{frames} of {pictures} frames are there")
