"""How one image is to be made: frozen values with a hash that is the same on every machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

#: Part of every options hash: raised when the same options begin to give other bytes.
ENCODERS_REVISION = 4


class Preset(StrEnum):
    """How much CPU may be spent on fewer bytes for the same looks: docs/decisions/presets.md has the figures."""

    FAST = "fast"
    BALANCED = "balanced"
    SMALL = "small"


def preset_in(text: str) -> Preset:
    """The preset of that name; ValueError names them all."""
    try:
        return Preset(text.strip().lower())
    except ValueError:
        raise ValueError(f"{text!r} is none of {', '.join(Preset)}") from None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is refused from the header, before any pixel is decoded. Sizes in pixels and bytes.

    An animation with more than `max_pixels` over all frames, or more than `max_frames`, is not refused: it is kept as
    it is, without its private metadata, and its first frame makes the thumbnail.
    """

    max_bytes: int = 50_000_000
    max_pixels: int = 64_000_000
    max_side: int = 20_000
    max_jpeg_scans: int = 100
    max_frames: int = 1_000


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """One image to be made.

    `fit`: the largest (width, height); the image is scaled down into it, never up; None keeps its size.
    `cover`: scaled down until it just covers `fit`, and cut to it, instead.
    `format`: a name from `formats.FORMATS` ("WEBP"), or None for the format of the source.
    `quality`: 1–100 for lossy formats.
    `optional`: nothing is lost without it. It comes after all others, as long as there is time, never as a copy of
    another output, and not of a picture that moves.
    `preset`: how much CPU may be spent on fewer bytes.
    """

    fit: tuple[int, int] | None = None
    format: str | None = None
    quality: int = 80
    cover: bool = False
    optional: bool = False
    preset: Preset = Preset.BALANCED


THUMBNAIL = OutputOptions(fit=(256, 256), format="WEBP", quality=80)
COMPRESSED = OutputOptions()


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """All that is to be made of one image; the defaults are the main job's thumbnail and compressed image."""

    outputs: tuple[tuple[str, OutputOptions], ...] = (("thumbnail", THUMBNAIL), ("compressed", COMPRESSED))
    limits: Limits = field(default_factory=Limits)

    def hash(self) -> str:
        """16 hex digits that change with every option that can change an output."""
        told = asdict(self)
        for _, output in told["outputs"]:
            # Options that came later: without them everything has the hash that it had before.
            for name, default in (("cover", False), ("optional", False), ("preset", Preset.BALANCED)):
                if output[name] == default:
                    del output[name]
        text = json.dumps([ENCODERS_REVISION, told], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
