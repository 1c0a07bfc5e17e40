"""A picture file taken apart: what its pixels need, what its colours need, and the metadata that stood beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Piece = bytes | memoryview


def _as_it_is(file: bytes) -> bytes:
    return file


def _nowhere(block: bytes) -> bytes:
    return b""


@dataclass(frozen=True)
class Timing:
    """How an animation runs: milliseconds of each frame, and what the file says about repeating, in its own words."""

    frames_ms: tuple[int, ...]
    loop: int | None = None


class Parts(Protocol):
    """What is known of a file without decoding it.

    `size`: pixels as stored, where the parser reads them, else None; `depth`: bits per sample.
    `frames`: None where only the decoder can count them. `exif`: the TIFF block, raw. `profile`: the ICC profile.
    `lossless`: whether the pixels stand there as they were made. `ordinary`: 8 bits, halved colours, sRGB as far as
    the header tells: what an encoder makes of it has the same qualities.
    `turned_by_container`: the file says outside of EXIF how it is to be turned, and the decoder knows.
    """

    @property
    def size(self) -> tuple[int, int] | None: ...
    @property
    def depth(self) -> int: ...
    @property
    def frames(self) -> int | None: ...
    @property
    def timing(self) -> Timing | None: ...
    @property
    def lossless(self) -> bool: ...
    @property
    def ordinary(self) -> bool: ...
    @property
    def exif(self) -> bytes | None: ...
    @property
    def profile(self) -> bytes | None: ...
    @property
    def turned_by_container(self) -> bool: ...

    def bare(self) -> bytes:
        """The smallest file with the same pixels (the first frame's): no metadata at all reaches the decoder."""

    def stripped(self, *, exif: bytes | None, with_profile: bool) -> bytes:
        """The file with pixels untouched and, of all metadata, only `exif` and, if wanted, its profile."""


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """`Parts` of a file that is a row of pieces; nothing in them is private except `exif` and `profile`.

    `lead` opens the file, metadata follows it, then come `extras` (colour space, resolution) and `body`.
    `needed` is what a decoder reads: `body` without the later frames of an animation.
    `profile_pieces`: the ICC profile's pieces as they stood. `wrap_exif` packs a TIFF block for this format.
    `negative`: white is the least of its samples, and the decoder leaves that to us.
    `sealed` gives a file that has been put together anew what it says of itself as a whole: lengths and flags.
    """

    lead: tuple[Piece, ...]
    body: tuple[Piece, ...]
    needed: tuple[Piece, ...]
    wrap_exif: Callable[[bytes], bytes] = _nowhere
    sealed: Callable[[bytes], bytes] = _as_it_is
    extras: tuple[Piece, ...] = ()
    size: tuple[int, int] | None = None
    depth: int = 8
    frames: int | None = 1
    timing: Timing | None = None
    lossless: bool = False
    ordinary: bool = True
    exif: bytes | None = None
    profile: bytes | None = None
    profile_pieces: tuple[Piece, ...] = ()
    turned_by_container: bool = False
    negative: bool = False

    def bare(self) -> bytes:
        return self.sealed(b"".join((*self.lead, *self.needed)))

    def stripped(self, *, exif: bytes | None, with_profile: bool) -> bytes:
        block = (self.wrap_exif(exif),) if exif else ()
        profile = self.profile_pieces if with_profile else ()
        return self.sealed(b"".join((*self.lead, *block, *profile, *self.extras, *self.body)))
