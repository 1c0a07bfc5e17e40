"""Writes a contact sheet of real photos, for people to look at: what the core made of each, beside the source."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
from io import BytesIO

from PIL import Image, ImageDraw, ImageOps

from benchmarks.corpus.photos import photos
from cli.exits import CommandError, Exit, run
from pipeline.images.transform import transform

EXAMPLES = """\
examples:
  python benchmarks/contact_sheet.py
  python benchmarks/contact_sheet.py --out sheet.png picture.jpg other.heic
"""
COLUMNS, CELL, CROP, LINE = 6, 264, 128, 14


def main() -> int:
    arguments = parser().parse_args()
    paths = arguments.files or photos()
    if not paths:
        raise CommandError("no photos here: fetch them with `python benchmarks/corpora.py --fetch-only`")
    cells = [cell(path) for path in paths]
    sheet(cells).save(arguments.out)
    print(arguments.out)
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Write a contact sheet of photos: thumbnails, and the middle of source and compressed image.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("files", nargs="*", type=Path, help="pictures (default: the photos in .corpora/)")
    made.add_argument("--out", type=Path, default=Path("contact_sheet.png"), help="default: contact_sheet.png")
    return made


def cell(path: Path) -> Image.Image:
    """The thumbnail; below it the middle of the source at full size, and of the compressed image; then the figures."""
    data = path.read_bytes()
    thumbnail, compressed = (output.data for output in transform(data).outputs)
    made = Image.new("RGB", (CELL, CELL + CROP + LINE), "#404040")
    small = opened(thumbnail)
    made.paste(small, ((CELL - small.width) // 2, (CELL - small.height) // 2))
    for number, source in enumerate((data, compressed)):
        made.paste(middle(opened(source)), (2 + number * (CROP + 4), CELL))
    saved = 100 - 100 * len(compressed) / len(data)
    ImageDraw.Draw(made).text((4, CELL + CROP), f"{path.name[:28]}  {len(data) // 1000} kB  -{saved:.0f}%", "white")
    print(f"{path.name}: {len(data)} to {len(compressed)} bytes", file=sys.stderr)
    return made


def opened(data: bytes) -> Image.Image:
    """Upright, and on a gray page where it is transparent."""
    with Image.open(BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", upright.size, "#808080"), upright).convert("RGB")


def middle(image: Image.Image) -> Image.Image:
    return ImageOps.fit(image, (CROP, CROP)) if min(image.size) < CROP else image.crop(_box(image.size))


def _box(size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top = (size[0] - CROP) // 2, (size[1] - CROP) // 2
    return left, top, left + CROP, top + CROP


def sheet(cells: list[Image.Image]) -> Image.Image:
    width, height = cells[0].size
    rows = -(-len(cells) // COLUMNS)
    made = Image.new("RGB", (COLUMNS * width, rows * height), "#202020")
    for number, image in enumerate(cells):
        made.paste(image, (number % COLUMNS * width, number // COLUMNS * height))
    return made


if __name__ == "__main__":
    sys.exit(run(main))
