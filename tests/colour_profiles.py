"""Small ICC profiles made for tests (ICC.1:2001-04); the primaries are XYZ under D50."""

from __future__ import annotations

import struct
from functools import cache

from PIL import ImageCms


@cache
def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def display_p3() -> bytes:
    red, green, blue = (0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)
    return _matrix_profile(red, green, blue, gamma=2.2)


def adobe_rgb() -> bytes:
    red, green, blue = (0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)
    return _matrix_profile(red, green, blue, gamma=2.19921875)


def gray_profile(gamma: float = 1.2) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """A printer without black: cyan, magenta and yellow inks darken L*, and turn a* and b*, in equal steps."""
    corners = b""
    for number in range(16):
        c, m, y, k = (number >> 3 & 1, number >> 2 & 1, number >> 1 & 1, number & 1)
        light = max(0, 255 - 60 * (c + m + y) - 200 * k)
        corners += bytes((light, 128 - 40 * c + 50 * m, 128 - 30 * c + 60 * y))
    identity = b"".join(struct.pack(">i", 65536 if i % 4 == 0 else 0) for i in range(9))
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + corners + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def _matrix_profile(
    red: tuple[float, ...], green: tuple[float, ...], blue: tuple[float, ...], *, gamma: float
) -> bytes:
    tags = {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma))
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"cprt": b"text" + bytes(4) + b"none\x00\x00\x00\x00", **tags}
    offset = 128 + 4 + 12 * len(tags)
    index, heap = struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        index += struct.pack(">4sII", tag, offset + len(heap), len(value))
        heap += value + bytes(-len(value) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s", offset + len(heap), bytes(4), 0x02400000, kind, space, connection, bytes(12), b"acsp"
    )
    white = struct.pack(">iii", round(0.9642 * 65536), 65536, round(0.8249 * 65536))
    return head.ljust(68, b"\x00") + white + bytes(48) + index + heap
