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
    if end_of(data) > len(data):
        raise ValueError(f"{len(data):,} of {end_of(data):,} bytes are there")
    _decode(data, _count_pictures(data))


def end_of(file: bytes) -> int:
    """Where the file ends, as it says itself; whatever else somebody wrote follows."""
    return _CHUNK_HEADER + int.from_bytes(file[4:8], "little")


def chunks(file: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(type, payload) of every chunk; ValueError where one ends behind the file."""
    return _chunks(memoryview(file)[_HEADER : end_of(file)])


def _count_pictures(data: bytes) -> int:
    """The number of pictures, each of which begins and ends where its chunk says."""
    pictures = 0
    for kind, payload in chunks(data):
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
