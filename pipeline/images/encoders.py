"""The ways in which formats are written, and which of them a preset takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.images.options import Preset

#: A JPEG with fewer bits a pixel is mostly codes for empty blocks, of which the standard's tables make too much: tables
#: of its own save a quarter of the bytes and more, and cost least where there is little to count. In pictures of few
#: pixels it is the standard's tables themselves that weigh. docs/decisions/jpeg-route.md has the figures.
_SPARSE_BITS = 0.2
_FEW_PIXELS = 250_000
#: Own tables need all coefficients at once, 3 bytes a pixel.
_MAX_SPARSE_PIXELS = 24_000_000

_ANY = 1 << 62
#: WebP has 14 bits for a side.
_WEBP_SIDE = 16_383


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """One way to write a format, and how large an image may be for it: docs/decisions/encoder-caps.md has the figures.

    `parameters` are Pillow's; `quality` and metadata come on top. `sparse` is added for a file that says little.
    `saves`: whether a file of the same format that is written anew so gets smaller, as a rule.
    """

    format: str
    max_pixels: int
    max_side: int = 65_500
    parameters: Mapping[str, object]
    sparse: Mapping[str, object] = field(default_factory=dict)
    saves: bool = True

    def fits(self, size: tuple[int, int]) -> bool:
        return size[0] * size[1] <= self.max_pixels and max(size) <= self.max_side

    def is_sparse(self, size: tuple[int, int], length: float) -> bool:
        """Whether a picture of which a file of `length` bytes is made is to be written with `sparse`."""
        pixels = size[0] * size[1]
        if not self.sparse or self.parameters.get("progressive") or pixels > _MAX_SPARSE_PIXELS:
            return False
        return pixels <= _FEW_PIXELS or 8 * length < _SPARSE_BITS * pixels


_JPEG = {"subsampling": "4:2:0", "comment": b""}
# With more threads the tiles, and so the bytes, would depend on the machine.
_AVIF = {"max_threads": 1, "autotiling": False}

#: How each format is written, the best way first; a larger image takes the next.
ENCODERS: Mapping[str, tuple[Encoder, ...]] = {
    "JPEG": (Encoder(format="JPEG", max_pixels=_ANY, parameters=_JPEG, sparse={"optimize": True}),),
    "PNG": (
        Encoder(format="PNG", max_pixels=3_000_000, parameters={"optimize": True}),
        Encoder(format="PNG", max_pixels=_ANY, parameters={"compress_level": 1}),
    ),
    "GIF": (Encoder(format="GIF", max_pixels=16_000_000, parameters={"optimize": True, "interlace": 0}),),
    "WEBP": (
        Encoder(format="WEBP", max_pixels=20_000_000, max_side=_WEBP_SIDE, parameters={"method": 4}),
        Encoder(format="WEBP", max_pixels=_ANY, max_side=_WEBP_SIDE, parameters={"method": 0}, saves=False),
    ),
    "AVIF": (Encoder(format="AVIF", max_pixels=8_000_000, parameters={"speed": 10, **_AVIF}),),
}

#: What the other presets do otherwise; a larger image falls back to what `ENCODERS` does.
_OTHERWISE: Mapping[Preset, Mapping[str, tuple[Encoder, ...]]] = {
    Preset.FAST: {
        "JPEG": (Encoder(format="JPEG", max_pixels=_ANY, parameters=_JPEG),),
        "PNG": (ENCODERS["PNG"][1],),
        "WEBP": (
            Encoder(format="WEBP", max_pixels=20_000_000, max_side=_WEBP_SIDE, parameters={"method": 2}),
            ENCODERS["WEBP"][1],
        ),
    },
    Preset.BALANCED: {},
    Preset.SMALL: {
        "JPEG": (
            Encoder(format="JPEG", max_pixels=_MAX_SPARSE_PIXELS, parameters={**_JPEG, "progressive": True}),
            *ENCODERS["JPEG"],
        ),
        "WEBP": (
            Encoder(format="WEBP", max_pixels=12_000_000, max_side=_WEBP_SIDE, parameters={"method": 6}),
            *ENCODERS["WEBP"],
        ),
        "AVIF": (
            Encoder(format="AVIF", max_pixels=2_000_000, parameters={"speed": 6, **_AVIF}),
            *ENCODERS["AVIF"],
        ),
    },
}

#: The same for pixels that may not change. Effort 20 takes a fifth of the time of 80 for the same bytes.
LOSSLESS: tuple[Encoder, ...] = (
    Encoder(
        format="WEBP",
        max_pixels=16_000_000,
        max_side=_WEBP_SIDE,
        parameters={"lossless": True, "exact": False, "method": 4, "quality": 20},
    ),
    Encoder(
        format="WEBP",
        max_pixels=20_000_000,
        max_side=_WEBP_SIDE,
        parameters={"lossless": True, "exact": False, "method": 0, "quality": 0},
    ),
    Encoder(format="PNG", max_pixels=_ANY, parameters={"compress_level": 1}),
)


def encoders(name: str, preset: Preset) -> tuple[Encoder, ...]:
    """How `preset` writes the format `name`, the best way first."""
    return _OTHERWISE[preset].get(name) or ENCODERS[name]
