"""A picture file taken apart: what its pixels need, what its colours need, and the metadata that stood beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Piece = bytes | memoryview


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Pieces of one file, in their order; nothing in them is private except `exif` and `profile`, which are given raw.

    `lead` opens the file, metadata follows it, then come `extras` (colour space, resolution) and `body`.
    `needed` is what a decoder reads: `body` without the later frames of an animation.
    `depth`: bits per sample. `exif`: the TIFF block. `profile`: the ICC profile, whose pieces as they stood
    are `profile_pieces`. `wrap_exif` packs a TIFF block for this format.
    """

    lead: tuple[Piece, ...]
    body: tuple[Piece, ...]
    needed: tuple[Piece, ...]
    wrap_exif: Callable[[bytes], bytes]
    extras: tuple[Piece, ...] = ()
    depth: int = 8
    animated: bool = False
    exif: bytes | None = None
    profile: bytes | None = None
    profile_pieces: tuple[Piece, ...] = ()

    def bare(self) -> bytes:
        """The smallest file with the same pixels (the first frame's): no metadata at all reaches the decoder."""
        return b"".join((*self.lead, *self.needed))

    def stripped(self, *, exif: bytes | None, with_profile: bool) -> bytes:
        """The file with pixels untouched and, of all metadata, only `exif` and, if wanted, its profile."""
        block = (self.wrap_exif(exif),) if exif else ()
        profile = self.profile_pieces if with_profile else ()
        return b"".join((*self.lead, *block, *profile, *self.extras, *self.body))
