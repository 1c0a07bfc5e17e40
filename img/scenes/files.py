"""From a painted picture to the bytes of its file, with what a camera would have written into it."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import IO, Any

from PIL import ExifTags, Image

Frames = tuple[Image.Image, ...]
Paint = Callable[[tuple[int, int]], Image.Image | Frames]

#: A place on the open Atlantic where nothing is: 31° 25′ 12″ N, 38° 30′ 36″ W, 4 m above the water.
NOWHERE: dict[int, Any] = {
    ExifTags.GPS.GPSVersionID: b"\x02\x03\x00\x00",
    ExifTags.GPS.GPSLatitudeRef: "N",
    ExifTags.GPS.GPSLatitude: (31.0, 25.0, 12.0),
    ExifTags.GPS.GPSLongitudeRef: "W",
    ExifTags.GPS.GPSLongitude: (38.0, 30.0, 36.0),
    ExifTags.GPS.GPSAltitudeRef: b"\x00",
    ExifTags.GPS.GPSAltitude: 4.0,
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One sample: its path in img/, the scene that paints it, and how it is stored.

    `size` is as shown. `tags`, `taken` and `place` are EXIF tags of the image, of the exposure and of the GPS.
    `frame_ms` is how long each frame of an animation is shown.
    With `turned` the pixels lie on their side and the EXIF orientation, 6, sets them upright.
    """

    path: str
    scene: str
    size: tuple[int, int]
    quality: int = 93
    tags: dict[int, Any] = field(default_factory=dict)
    taken: dict[int, Any] = field(default_factory=dict)
    place: dict[int, Any] = field(default_factory=dict)
    turned: bool = False
    frame_ms: int = 0

    def paint(self, size: tuple[int, int] | None = None) -> Frames:
        """Its frames, mostly one, at its own size or at another; ModuleNotFoundError where numpy is not installed."""
        module, name = self.scene.split(".")
        scene: Paint = getattr(importlib.import_module(f"img.scenes.{module}"), name)
        painted = scene(size or self.size)
        return (painted,) if isinstance(painted, Image.Image) else painted

    def encode(self, frames: Frames) -> bytes:
        """The bytes of its file, in the format that the ending of its path names."""
        data = io.BytesIO()
        ENCODERS[PurePath(self.path).suffix](self, frames, data)
        return data.getvalue()

    def exif(self) -> Image.Exif:
        """What a camera would have written into it."""
        exif = Image.Exif()
        exif.update(self.tags)
        if self.turned:
            exif[ExifTags.Base.Orientation] = 6
        if self.taken:
            exif.get_ifd(ExifTags.IFD.Exif).update(self.taken)
        if self.place:
            exif.get_ifd(ExifTags.IFD.GPSInfo).update(self.place)
        return exif


def _jpeg(picture: Picture, frames: Frames, file: IO[bytes]) -> None:
    image = frames[0].transpose(Image.Transpose.ROTATE_90) if picture.turned else frames[0]
    # Ink is no chroma: with fewer samples of magenta, yellow and black, letters would fray.
    subsampling = "4:4:4" if image.mode == "CMYK" else "4:2:0"
    image.save(file, "JPEG", quality=picture.quality, subsampling=subsampling, exif=picture.exif())


def _png(picture: Picture, frames: Frames, file: IO[bytes]) -> None:
    frames[0].save(file, "PNG")


def _gif(picture: Picture, frames: Frames, file: IO[bytes]) -> None:
    """One palette for all frames: what stays the same is then the same to the last pixel, and is not stored again."""
    tall = Image.new("RGB", (frames[0].width, sum(frame.height for frame in frames)))
    for number, frame in enumerate(frames):
        tall.paste(frame, (0, number * frame.height))
    palette = tall.quantize(128, Image.Quantize.MEDIANCUT)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first.save(file, "GIF", save_all=True, append_images=others, duration=picture.frame_ms, loop=0)


def _webp(picture: Picture, frames: Frames, file: IO[bytes]) -> None:
    first, *others = frames
    animation = {"save_all": True, "append_images": others, "duration": picture.frame_ms, "loop": 0}
    first.save(file, "WEBP", quality=picture.quality, method=6, **animation)


def _mpo(picture: Picture, frames: Frames, file: IO[bytes]) -> None:
    first, *others = frames
    first.save(file, "MPO", save_all=True, append_images=others, quality=picture.quality)


def _tiff(picture: Picture, frames: Frames, file: IO[bytes]) -> None:
    frames[0].save(file, "TIFF", compression="tiff_lzw", dpi=(300, 300))


def _avif(picture: Picture, frames: Frames, file: IO[bytes]) -> None:
    # On one thread the bytes do not depend on how many processors there are.
    frames[0].save(file, "AVIF", quality=picture.quality, max_threads=1)


#: The writer for each ending.
ENCODERS: Mapping[str, Callable[[Picture, Frames, IO[bytes]], None]] = {
    ".avif": _avif,
    ".gif": _gif,
    ".jpg": _jpeg,
    ".mpo": _mpo,
    ".png": _png,
    ".tif": _tiff,
    ".webp": _webp,
}
