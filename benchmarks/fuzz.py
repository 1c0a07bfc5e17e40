"""Fuzzes the image core: atheris looks for bytes for which `transform` raises anything but RejectError."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import os
import random
from io import BytesIO

from cli.exits import CommandError, Exit, run

# What is fuzzed is imported late: atheris instruments modules while they are imported.

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = """\
examples:
  make fuzz SECONDS=600
  python benchmarks/fuzz.py --seconds 60
  python benchmarks/fuzz.py --again .fuzz/crash-0123abcd
"""
FOLDER = ROOT / ".fuzz"
#: Seeds for each format, and their greatest size: libFuzzer learns more from many runs than from large files.
SEEDS, SEED_BYTES = 60, 20_000
#: Small pictures keep it fast; the limits themselves have tests of their own.
MAX_PIXELS = 300_000


def main() -> int:
    arguments = parser().parse_args()
    if arguments.again:
        attempt(arguments.again.read_bytes())
        print("nothing is raised any more")
        return Exit.DONE
    return fuzz(arguments.seconds, arguments.seed)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Fuzz the image core with atheris: only RejectError may leave it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--seconds", type=int, default=60, help="how long (default: 60)")
    made.add_argument("--seed", type=int, default=1, help="of the random numbers (default: 1)")
    made.add_argument("--again", type=Path, metavar="FILE", help="try one finding again, without atheris")
    return made


def attempt(data: bytes) -> None:
    from pipeline.errors import RejectError
    from pipeline.images.options import ImageOptions, Limits
    from pipeline.images.transform import transform

    try:
        transform(data, ImageOptions(limits=Limits(max_pixels=MAX_PIXELS)))
    except RejectError:
        return


def fuzz(seconds: int, seed: int) -> int:
    try:
        import atheris
    except ImportError as error:
        raise CommandError("atheris is not installed: `make fuzz` installs benchmarks/requirements-fuzz.txt") from error
    with atheris.instrument_imports(include=["pipeline", "PIL"]):
        import pipeline.images.transform  # noqa: F401
    corpus = FOLDER / "corpus"
    write_seeds(corpus)
    # Decoders print what they think of a file; libFuzzer has a descriptor of its own.
    options = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=60000", "-timeout=30", "-rss_limit_mb=2000"]
    options += [f"-artifact_prefix={FOLDER}{os.sep}", "-print_final_stats=1", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], attempt)
    atheris.Fuzz()
    return Exit.DONE


def write_seeds(folder: Path) -> None:
    """A small file of every kind: of the corpora where they are, and always of Pillow's own making."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate([*_made(), *_had()]):
        (folder / f"seed-{number:04}").write_bytes(data)


def _made() -> list[bytes]:
    from PIL import Image

    made = []
    for form in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"):
        file = BytesIO()
        Image.linear_gradient("L").resize((24, 16)).convert("RGB").save(file, form)
        made.append(file.getvalue())
    return made


def _had() -> list[bytes]:
    from benchmarks.corpus.sources import SOURCES, files_of
    from pipeline.images.formats import sniff

    by_format: dict[str, list[bytes]] = {}
    for path in (path for source in SOURCES for path in files_of(ROOT / ".corpora" / source.name)):
        data = path.read_bytes() if path.stat().st_size <= SEED_BYTES else b""
        if form := sniff(data):
            by_format.setdefault(form.name, []).append(data)
    chance = random.Random(1)
    return [data for files in by_format.values() for data in chance.sample(files, min(SEEDS, len(files)))]


if __name__ == "__main__":
    sys.exit(run(main))
