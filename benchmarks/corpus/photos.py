"""Real photos out of the wallpaper packages: large ones, of several cameras and hands."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchmarks.corpus.sources import PHOTOS, files_of

FOLDER = Path(__file__).resolve().parents[2] / ".corpora"
_LEAST_PIXELS = 1_500_000


def photos(most: int = 30) -> list[Path]:
    """Up to `most` pictures of 1.5 megapixels and more, the packages taking turns; none where nothing was fetched."""
    found = [[path for path in files_of(FOLDER / name) if _is_large(path)] for name in PHOTOS]
    turns = [path for number in range(most) for paths in found for path in paths[number : number + 1]]
    return turns[:most]


def _is_large(path: Path) -> bool:
    with Image.open(path) as image:
        return image.width * image.height >= _LEAST_PIXELS
