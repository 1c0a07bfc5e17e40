"""From a painted picture to the bytes of its file, with what a camera would have written into it."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import ExifTags, Image

Paint = Callable[[tuple[int, int]], Image.Image]

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

    def paint(self, size: tuple[int, int] | None = None) -> Image.Image:
        """The picture at its own size, or at another; ModuleNotFoundError where numpy is not installed."""
        module, name = self.scene.split(".")
        scene: Paint = getattr(importlib.import_module(f"img.scenes.{module}"), name)
        return scene(size or self.size)

    def encode(self, image: Image.Image) -> bytes:
        """The bytes of its file, PNG or JPEG by the ending of its path."""
        data = io.BytesIO()
        if self.path.endswith(".png"):
            image.save(data, "PNG")
        else:
            lying = image.transpose(Image.Transpose.ROTATE_90) if self.turned else image
            lying.save(data, "JPEG", quality=self.quality, subsampling="4:2:0", exif=self._exif())
        return data.getvalue()

    def _exif(self) -> Image.Exif:
        exif = Image.Exif()
        exif.update(self.tags)
        if self.turned:
            exif[ExifTags.Base.Orientation] = 6
        if self.taken:
            exif.get_ifd(ExifTags.IFD.Exif).update(self.taken)
        if self.place:
            exif.get_ifd(ExifTags.IFD.GPSInfo).update(self.place)
        return exif
