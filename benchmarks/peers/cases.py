"""The pictures of the benchmark: real photos, brought into the shapes in which cameras and programs deliver them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.corpus.photos import FOLDER as CORPORA
from benchmarks.corpus.photos import photos
from benchmarks.corpus.sources import files_of
from benchmarks.peers.programs import FOLDER

Pictures = Callable[[], Iterator[Image.Image]]
_PHOTOS = 8
_GRAPHICS = 6


@dataclass(frozen=True)
class Case:
    """Pictures, and how Pillow saves them."""

    pictures: Pictures
    format: str
    parameters: Mapping[str, Any]
    orientation: int = 1

    def files(self, name: str) -> list[Path]:
        """Made once, and kept for the next run."""
        folder = FOLDER / "cases" / name
        if not folder.is_dir():
            making = folder.with_suffix(".making")
            making.mkdir(parents=True, exist_ok=True)
            for number, image in enumerate(self.pictures()):
                exif = Image.Exif()
                exif[0x0112] = self.orientation
                path = making / f"{number:02}.{self.format.lower()}"
                image.save(path, self.format, exif=exif.tobytes() if self.orientation > 1 else b"", **self.parameters)
            making.rename(folder)
        return sorted(folder.iterdir())


def _photos(megapixels: float) -> Pictures:
    """The middles of photos, at most so large."""

    def cut() -> Iterator[Image.Image]:
        for path in photos(_PHOTOS):
            with Image.open(path) as image:
                yield middle(image.convert("RGB"), megapixels)

    return cut


def middle(image: Image.Image, megapixels: float) -> Image.Image:
    share = min(1.0, (megapixels * 1e6 / (image.width * image.height)) ** 0.5)
    width, height = int(image.width * share), int(image.height * share)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _graphics() -> Iterator[Image.Image]:
    """Drawn wallpapers: flat colours, gradients, some see-through."""
    drawn = [path for path in files_of(CORPORA / "mate-backgrounds") if path.suffix == ".png"]
    for path in drawn[:_GRAPHICS]:
        with Image.open(path) as image:
            yield middle(image.convert("RGBA" if image.has_transparency_data else "RGB"), 1.5)


def _palettes() -> Iterator[Image.Image]:
    return (image.convert("RGB").quantize(256) for image in _graphics())


_CAMERA = {"quality": 92, "subsampling": "4:2:0"}
CASES = {
    "JPEG baseline 4:2:0": Case(_photos(8), "JPEG", _CAMERA),
    "JPEG progressive 4:2:0": Case(_photos(8), "JPEG", {**_CAMERA, "progressive": True}),
    "JPEG baseline 4:4:4": Case(_photos(8), "JPEG", {"quality": 92, "subsampling": "4:4:4"}),
    "JPEG baseline 4:2:0 on its side": Case(_photos(8), "JPEG", _CAMERA, orientation=6),
    "PNG photo": Case(_photos(1), "PNG", {}),
    "PNG graphic": Case(_graphics, "PNG", {}),
    "WebP": Case(_photos(2), "WEBP", {"quality": 92}),
    "GIF": Case(_palettes, "GIF", {}),
}


def _mosaic(size: tuple[int, int]) -> Pictures:
    """One picture of `size`, of as many photos as it takes."""

    def lay() -> Iterator[Image.Image]:
        page, tile = Image.new("RGB", size), (1_500, 1_000)
        places = [(x, y) for y in range(0, size[1], tile[1]) for x in range(0, size[0], tile[0])]
        tiles = [image.resize(tile) for image in _photos(4)()]
        for number, place in enumerate(places):
            page.paste(tiles[number % len(tiles)], place)
        yield page

    return lay


#: For memory: one baseline JPEG of each size, by its megapixels.
SIZES = {
    1: Case(_mosaic((1_200, 900)), "JPEG", _CAMERA),
    12: Case(_mosaic((4_000, 3_000)), "JPEG", _CAMERA),
    24: Case(_mosaic((6_000, 4_000)), "JPEG", _CAMERA),
    48: Case(_mosaic((8_000, 6_000)), "JPEG", _CAMERA),
}
#: For scores: small enough to be compared in seconds.
CROPS = Case(_photos(0.6), "PNG", {})
