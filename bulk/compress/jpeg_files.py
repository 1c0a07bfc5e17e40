"""JPEG files put together anew: the metadata of one around the pixels of another (ITU-T T.81, annex B)."""

from __future__ import annotations

from pipeline.images.jpeg_parts import segments

#: How large the blocks of luma are where those of both chromas are one by one.
_SAMPLINGS = {b"\x11\x11\x11": "4:4:4", b"\x21\x11\x11": "4:2:2", b"\x22\x11\x11": "4:2:0"}
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_COMPONENTS_AT = 10
_CMYK = 4
_START, _END = b"\xff\xd8", b"\xff\xd9"
_APP0, _APP14, _APP15, _COMMENT = 0xE0, 0xEE, 0xEF, 0xFE


def rebuilt(file: bytes, encoded: bytes) -> bytes:
    """The picture of `encoded` with all that `file` says besides its own: EXIF, XMP, ICC, IPTC, comments, the unknown.

    How colours are stored (Adobe's APP14) is said by who stored them; the JFIF header stays the file's. Four colours
    that came without Adobe's word stay without it: to some programs it means that they are stored inverted.
    """
    head = [file[start:end] for marker, start, end in segments(file) if _is_metadata(marker)]
    mute = _components(encoded) == _CMYK and all(marker != _APP14 for marker, _, _ in segments(file))
    unwanted = (_APP0, _COMMENT, _APP14) if mute else (_APP0, _COMMENT)
    body = [encoded[start:end] for marker, start, end in segments(encoded) if marker not in unwanted]
    return b"".join((_START, *head, *body, _END))


def end_of(file: bytes) -> int:
    """Where the first picture in `file` ends; cameras put more behind it: further pictures, videos, notes."""
    last = max((end for _, _, end in segments(file)), default=len(_START))
    return file.index(_END, last) + len(_END)


def is_progressive(file: bytes) -> bool:
    return any(marker == 0xC2 for marker, _, _ in segments(file))


def sampling_of(file: bytes) -> str:
    """How finely its colours are sampled, in the words of encoders; the finest where these have no word for it."""
    return _SAMPLINGS.get(_frame_header(file)[_COMPONENTS_AT + 1 :: 3], "4:4:4")


def _components(file: bytes) -> int:
    return len(_frame_header(file)[_COMPONENTS_AT::3])


def _frame_header(file: bytes) -> bytes:
    return next((file[start:end] for marker, start, end in segments(file) if marker in _FRAMES), b"")


def _is_metadata(marker: int) -> bool:
    return (_APP0 <= marker <= _APP15 and marker != _APP14) or marker == _COMMENT
