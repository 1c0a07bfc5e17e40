"""What one run is to make of every image of its list: frozen values that travel to the workers."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.images.options import Limits, OutputOptions
from pipeline.job import Job, OutputWanted, S3Source, Write

#: What the program takes by itself, and what it can be told to take as well.
FORMATS = ("JPEG", "PNG", "MPO")
MORE_FORMATS = ("WEBP",)
NAME = "compressed"

_NO_LIMIT = 1 << 62
#: An image has to be held in memory, file and all.
_MAX_BYTES = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Options:
    """How images are compressed in their place.

    `quality`: 0 to 100, for lossy formats. `max_pixels` of one image. `min_savings`: percent below which an original
    stays. `png_colors`: most colours of a PNG, 0 for as many as it has. `ignore_trunc`: images that end early are
    passed over, and do not count as failed.
    """

    quality: int = 80
    max_pixels: int = 1_000_000_000
    min_savings: float = 3.0
    formats: tuple[str, ...] = FORMATS
    png_colors: int = 0
    strip_metadata: bool = False
    ignore_trunc: bool = True

    @property
    def mark(self) -> str:
        """What a compressed object is marked with: it is done for a run with the same one."""
        said = [f"quality={self.quality}"]
        said += [f"png_colors={self.png_colors}"] * bool(self.png_colors)
        said += ["strip_metadata"] * self.strip_metadata
        return ";".join(said)

    def job(self, bucket: str, key: str) -> Job:
        # Encoders know no quality 0.
        picture = OutputOptions(quality=max(1, self.quality))
        wanted = OutputWanted(NAME, picture, write=Write.REPLACE_IF_MATCH, keep_headers=True, mark=self.mark)
        limits = Limits(max_bytes=_MAX_BYTES, max_pixels=self.max_pixels, max_side=_NO_LIMIT)
        return Job(source=S3Source(bucket, key), outputs=(wanted,), limits=limits, record=False)
